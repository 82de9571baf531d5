-- evidence: the score of the newest letter, of an indicator that is given from outside
-- grain: one year: its newest letter
-- inputs: states.external_score, quarantine.open_rows
-- parameters: $indicator, $first_year, $last_year, $clock, $known_batch (common)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH newest AS (
  SELECT year, record_key, score
  FROM states.external_score
  WHERE indicator_id = $indicator
    AND year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND letter_date <= CAST($clock AS DATE)
  -- of two letters of one date, the one with the greater number
  QUALIFY row_number() OVER (PARTITION BY year ORDER BY letter_date DESC, letter_number DESC) = 1
), held AS (
  SELECT DISTINCT year
  FROM quarantine.open_rows
  WHERE source = 'external_score' AND year BETWEEN $first_year AND $last_year AND starts_with(record_key, $indicator || '|')
)
SELECT
  CAST(newest.year AS VARCHAR) AS period,
  record_key,
  'numerator' AS role,
  NULL AS reason,
  CAST([] AS VARCHAR[]) AS path,
  score AS amount,
  -- a letter that is held back may be the newest one
  held.year IS NOT NULL AS is_contested,
  NULL AS flag
FROM newest
LEFT JOIN held USING (year)
