-- records of: survey_elements
-- grain: one answer to the element
-- inputs: evidence
-- parameters: $survey_code, $period, $unit_code, $element_code
SELECT 'survey' AS source, record_key, role, NULL AS reason, CAST(amount AS VARCHAR) AS amount
FROM evidence
WHERE role IN ('numerator', 'denominator') AND label = $survey_code AND period = $period AND upper(path[-1]) = $element_code
  AND ($unit_code = 'total' OR path[-2] = $unit_code)
