-- indicator: IKU-01 agencies graded A or B on NSPK
-- grain: one agency of the region and year that is assessed
-- inputs: states.nspk_assessment, quarantine.open_rows, reference.agencies
-- parameters: $first_year, $last_year, $clock, $known_batch (common); $lowest_score (version)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH newest AS (
  SELECT year, agency_code, score
  FROM states.nspk_assessment
  WHERE year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND assessed_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY year, agency_code ORDER BY assessed_date DESC) = 1
), held AS (
  SELECT DISTINCT year, split_part(record_key, '|', 1) AS agency_code
  FROM quarantine.open_rows
  WHERE source = 'nspk_assessment' AND year BETWEEN $first_year AND $last_year AND record_key IS NOT NULL
), years AS (
  SELECT DISTINCT year FROM newest
), region AS (
  SELECT years.year, agencies.agency_code, newest.score,
    -- the grades are stated with two decimals: the score is rounded half up first
    coalesce(round(newest.score, 2) >= CAST($lowest_score AS DECIMAL(18,6)), false) AS is_graded
  FROM years
  CROSS JOIN reference.agencies AS agencies
  LEFT JOIN newest ON newest.year = years.year AND newest.agency_code = agencies.agency_code
)
SELECT
  CAST(region.year AS VARCHAR) AS period,
  region.agency_code AS record_key,
  CASE WHEN is_graded THEN 'numerator' ELSE 'denominator' END AS role,
  CASE WHEN score IS NULL THEN 'not_assessed' WHEN NOT is_graded THEN 'below_grade_b' END AS reason,
  CAST([] AS VARCHAR[]) AS path,
  CAST(is_graded AS INTEGER) AS amount,
  held.agency_code IS NOT NULL AS is_contested,
  CASE WHEN score IS NULL THEN 'incomplete' END AS flag
FROM region
LEFT JOIN held ON held.year = region.year AND held.agency_code = region.agency_code
