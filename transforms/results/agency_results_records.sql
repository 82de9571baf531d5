-- records of: agency_results
-- grain: one delivered row of the agency, in its role; the agency itself where it has none
-- inputs: evidence, states.nspk_assessment, states.ip_asn_measurement, states.integration, states.supervision_recommendation
-- parameters: $indicator, $period, $agency_code, $year, $known_batch
WITH delivered AS (
  SELECT 'assessments' AS label, 'nspk_assessment' AS source, record_key, agency_code AS evidence_key
  FROM states.nspk_assessment
  WHERE agency_code = $agency_code AND year = $year AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  UNION
  SELECT 'measurements', 'ip_asn_measurement', record_key, agency_code
  FROM states.ip_asn_measurement
  WHERE agency_code = $agency_code AND year = $year AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  UNION
  SELECT 'integration', 'integration', record_key, agency_code
  FROM states.integration
  WHERE agency_code = $agency_code AND year || '-Q' || quarter = $period AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  UNION
  SELECT 'recommendations', 'supervision_recommendation', record_key, record_key
  FROM states.supervision_recommendation
  WHERE agency_code = $agency_code AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
)
SELECT delivered.source, coalesce(delivered.record_key, evidence.record_key) AS record_key, role, reason,
  CAST(CAST(amount AS INTEGER) AS VARCHAR) AS amount
FROM evidence
LEFT JOIN delivered ON delivered.label = evidence.label AND delivered.evidence_key = evidence.record_key
WHERE evidence.indicator = $indicator AND evidence.period = $period
  AND (delivered.record_key IS NOT NULL OR evidence.record_key = $agency_code)
