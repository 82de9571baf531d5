-- table: survey_units
-- grain: one survey, semester and unit (`total`: all of them) that somebody answered about
-- inputs: evidence (of the indicators of the surveys)
-- parameters: $element_count, $grades (declared)
WITH answers AS (
  -- the path ends in the element, after the group and the unit where the survey has units; without units there is the total alone
  SELECT split_part(record_key, '|', 1) AS survey_code, period, record_key, amount, path[-1] AS element_code,
    CASE WHEN len(path) > 1 THEN path[-2] ELSE 'total' END AS unit_code,
    CASE WHEN len(path) > 2 THEN path[-3] ELSE 'total' END AS group_code
  FROM evidence
  WHERE role IN ('numerator', 'denominator')
), means AS (
  -- in integers of 1e-24, cut off, never rounded
  SELECT survey_code, period, group_code, unit_code, element_code, sum(CAST(amount AS HUGEINT)) * 1000000000000000000000000 // count(*) AS mean_score
  FROM answers
  GROUP BY survey_code, period, group_code, unit_code, element_code
), sums AS (
  -- an element that nobody answered leaves its unit without an index (ruling 26)
  SELECT survey_code, period, group_code, unit_code, sum(mean_score)::HUGEINT AS element_sum
  FROM means
  GROUP BY survey_code, period, group_code, unit_code
  HAVING count(*) = $element_count
), groups AS (
  SELECT survey_code, period, group_code, sum(element_sum)::HUGEINT // count(*) AS element_sum
  FROM sums
  GROUP BY survey_code, period, group_code
), parts AS (
  SELECT survey_code, period, unit_code, element_sum, 1 AS part_count FROM sums WHERE unit_code <> 'total'
  UNION ALL
  SELECT survey_code, period, 'total', sum(element_sum)::HUGEINT, count(*) FROM groups GROUP BY survey_code, period
), indexes AS (
  -- 25 x the mean of the element means in hundredths, half up; the ten a part give back what was cut off, so that a tie stays one
  SELECT survey_code, period, unit_code,
    (5000 * (element_sum + 10 * part_count) + part_count::HUGEINT * $element_count * 1000000000000000000000000)
      // (2 * part_count::HUGEINT * $element_count * 1000000000000000000000000) AS hundredths
  FROM parts
), respondents AS (
  SELECT survey_code, period, unit_code, count(DISTINCT record_key) AS respondent_count
  FROM answers
  GROUP BY survey_code, period, unit_code
  UNION
  SELECT survey_code, period, 'total', count(DISTINCT record_key) FROM answers GROUP BY survey_code, period
), graded AS (
  SELECT survey_code, period, unit_code, CAST(CAST(hundredths AS DECIMAL(7, 0)) * 0.01 AS DECIMAL(9, 2)) AS ikm_value FROM indexes
), grades AS (
  SELECT steps[1] AS grade, CAST(steps[2] AS DECIMAL(9, 2)) AS lowest FROM (SELECT unnest($grades) AS steps)
)
SELECT respondents.survey_code, respondents.period, respondents.unit_code, ikm_value, grades.grade, respondent_count
FROM respondents
LEFT JOIN graded ON graded.survey_code = respondents.survey_code AND graded.period = respondents.period
  AND graded.unit_code = respondents.unit_code
ASOF LEFT JOIN grades ON graded.ikm_value >= grades.lowest
