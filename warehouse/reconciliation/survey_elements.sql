-- reads: states.survey
-- grain: one survey, semester, unit (empty where the survey has none) and element: sum and number of the answered scores
-- parameters: $clock, $known_batch
WITH newest AS (
  SELECT survey_code, year, semester, unit_code, [u1_score, u2_score, u3_score, u4_score, u5_score, u6_score, u7_score, u8_score,
    u9_score] AS scores
  FROM states.survey
  WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND response_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY record_key ORDER BY response_date DESC) = 1
), elements AS (
  SELECT survey_code, year, semester, unit_code, unnest(scores) AS score, generate_subscripts(scores, 1) AS element
  FROM newest
)
SELECT survey_code, CAST(year AS INTEGER) AS year, CAST(semester AS INTEGER) AS semester, coalesce(unit_code, '') AS unit,
  CAST(element AS INTEGER) AS element, CAST(sum(score) AS BIGINT) AS total, count(score) AS answers
FROM elements
GROUP BY survey_code, year, semester, unit_code, element
HAVING count(score) > 0
ORDER BY survey_code, year, semester, unit, element
