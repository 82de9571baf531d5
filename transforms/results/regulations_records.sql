-- records of: regulations
-- grain: one draft
-- inputs: evidence
-- parameters: $draft_id
SELECT 'regulation' AS source, record_key, role, reason, NULL AS amount FROM evidence WHERE record_key = $draft_id
