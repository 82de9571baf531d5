-- table: survey_units
-- grain: one survey, semester and unit that somebody answered about
-- inputs: states.survey
-- parameters: $year, $clock, $known_batch; $grades (declared)
-- The newest answers of a respondent count; they count whenever they came (knowledge cut-off, as in IKU-03 and IKU-04).
WITH newest AS (
  SELECT survey_code, CAST(semester AS BIGINT) AS semester, coalesce(unit_code, 'none') AS unit_code,
    [u1_score, u2_score, u3_score, u4_score, u5_score, u6_score, u7_score, u8_score, u9_score] AS scores
  FROM states.survey
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND response_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY record_key ORDER BY response_date DESC) = 1
), respondents AS (
  SELECT survey_code, semester, unit_code, count(*) AS respondent_count
  FROM newest
  WHERE list_max(scores) IS NOT NULL
  GROUP BY survey_code, semester, unit_code
), answers AS (
  SELECT survey_code, semester, unit_code, unnest(scores) AS score, generate_subscripts(scores, 1) AS element
  FROM newest
), means AS (
  -- in integers of 1e-24: cut off, never rounded, so that what is lost of nine is less than nine of them
  SELECT survey_code, semester, unit_code, sum(score)::HUGEINT * 1000000000000000000000000 // count(score) AS mean_score
  FROM answers
  WHERE score IS NOT NULL
  GROUP BY survey_code, semester, unit_code, element
), indexes AS (
  -- 25 x the mean of the nine in hundredths, half up; the 45000 give back what was cut off, so that a tie stays one
  SELECT survey_code, semester, unit_code,
    (5000 * sum(mean_score)::HUGEINT + 45000 + 9000000000000000000000000) // 18000000000000000000000000 AS hundredths
  FROM means
  GROUP BY survey_code, semester, unit_code
  HAVING count(*) = 9
), graded AS (
  SELECT survey_code, semester, unit_code, CAST(CAST(hundredths AS DECIMAL(7, 0)) * 0.01 AS DECIMAL(9, 2)) AS ikm_value
  FROM indexes
), grades AS (
  SELECT steps[1] AS grade, CAST(steps[2] AS DECIMAL(9, 2)) AS least FROM (SELECT unnest($grades) AS steps)
)
SELECT respondents.survey_code, respondents.semester, respondents.unit_code, ikm_value, grades.grade, respondent_count
FROM respondents
LEFT JOIN graded ON graded.survey_code = respondents.survey_code AND graded.semester = respondents.semester
  AND graded.unit_code = respondents.unit_code
ASOF LEFT JOIN grades ON graded.ikm_value >= grades.least
