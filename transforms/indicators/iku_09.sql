-- indicator: IKU-09 the office's own professionalism index
-- grain: one employee and year
-- inputs: states.ip_asn_employee, quarantine.open_rows
-- parameters: $first_year, $last_year, $known_batch (common)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH accepted AS (
  SELECT year, record_key, qualification_score + competence_score + performance_score + discipline_score AS score
  FROM states.ip_asn_employee
  WHERE year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
), held AS (
  SELECT DISTINCT year, record_key
  FROM quarantine.open_rows
  WHERE source = 'ip_asn_employee' AND year BETWEEN $first_year AND $last_year AND record_key IS NOT NULL
)
SELECT
  CAST(year AS VARCHAR) AS period,
  record_key,
  'numerator' AS role,
  NULL AS reason,
  CAST([] AS VARCHAR[]) AS path,
  score AS amount,
  held.record_key IS NOT NULL AS is_contested,
  NULL AS flag
FROM accepted
LEFT JOIN held USING (year, record_key)
UNION ALL
SELECT CAST(year AS VARCHAR), record_key, 'held', NULL, CAST([] AS VARCHAR[]), NULL, false, NULL
FROM held
ANTI JOIN accepted USING (year, record_key)
