-- records of: survey_units
-- grain: one respondent who answered about the unit, or answered nothing
-- inputs: evidence
-- parameters: $survey_code, $period, $unit_code
SELECT 'survey' AS source, record_key, role, any_value(reason) AS reason, CAST(sum(amount) AS VARCHAR) AS amount
FROM evidence
WHERE label = $survey_code AND period = $period
  AND ($unit_code = 'total' OR split_part(record_key, '|', 4) = $unit_code)
GROUP BY record_key, role
