-- table: survey_elements
-- grain: one survey, semester, unit (`total`: all of them) and element that somebody answered
-- inputs: evidence (of the indicators of the surveys)
-- parameters: none
WITH answers AS (
  -- the path ends in the element, after the unit where the survey has units; without units there is the total alone
  SELECT split_part(record_key, '|', 1) AS survey_code, period, CASE WHEN len(path) > 1 THEN path[-2] ELSE 'total' END AS unit_code,
    upper(path[-1]) AS element_code, CAST(amount AS BIGINT) AS score
  FROM evidence
  WHERE role IN ('numerator', 'denominator')
), sums AS (
  SELECT survey_code, period, unit_code, element_code, CAST(sum(score) AS BIGINT) AS score_sum, count(*) AS respondent_count
  FROM answers
  GROUP BY survey_code, period, unit_code, element_code
), totals AS (
  -- the mean of the units that have the element; in integers of 1e-24, each mean cut off and what was cut off given back, so that a tie stays one
  SELECT survey_code, period, element_code, CAST(sum(respondent_count) AS BIGINT) AS respondent_count,
    (200 * (sum(score_sum::HUGEINT * 1000000000000000000000000 // respondent_count)::HUGEINT + count(*))
      + count(*)::HUGEINT * 1000000000000000000000000) // (2 * count(*)::HUGEINT * 1000000000000000000000000) AS hundredths
  FROM sums
  WHERE unit_code <> 'total'
  GROUP BY survey_code, period, element_code
), elements AS (
  SELECT survey_code, period, unit_code, element_code, (200 * score_sum + respondent_count) // (2 * respondent_count) AS hundredths,
    score_sum, respondent_count
  FROM sums
  UNION ALL
  SELECT survey_code, period, 'total', element_code, hundredths, NULL, respondent_count FROM totals
)
SELECT survey_code, period, unit_code, element_code,
  CAST(CAST(hundredths AS DECIMAL(7, 0)) * 0.01 AS DECIMAL(9, 2)) AS mean_score, score_sum, respondent_count,
  -- by the published mean: what reads alike ranks alike
  rank() OVER (PARTITION BY survey_code, period, unit_code ORDER BY hundredths) AS lowest_rank
FROM elements
