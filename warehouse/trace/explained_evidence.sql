-- reads: indicator_evidence (temporary)
-- grain: one record, period and group of an indicator's evidence
SELECT period, record_key, role, reason, coalesce(path, []) AS path, amount
FROM indicator_evidence
ORDER BY period, record_key, path, role
