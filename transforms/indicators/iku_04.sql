-- indicator: IKU-04 satisfaction with services
-- grain: one answered element of one respondent, unit and semester; one respondent who answered nothing or is held back
-- inputs: states.survey, quarantine.open_rows
-- parameters: $first_year, $last_year, $clock, $known_batch (common); $elements, $unit_paths (version)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH paths AS (
  SELECT unnest($unit_paths) AS unit_path
), units AS (
  SELECT unit_path[1] AS unit_group, unit_path[2] AS unit_code FROM paths
), newest AS (
  SELECT year || '-S' || semester AS period, record_key, unit_code,
    [u1_score, u2_score, u3_score, u4_score, u5_score, u6_score, u7_score, u8_score, u9_score] AS scores
  FROM states.survey
  WHERE survey_code = 'layanan'
    AND year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND response_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY record_key ORDER BY response_date DESC) = 1
), element_scores AS (
  SELECT period, record_key, unit_code, unnest($elements) AS element, unnest(scores) AS score
  FROM newest
), answers AS (
  SELECT period, record_key, unit_group, unit_code, element, score
  FROM element_scores
  JOIN units USING (unit_code)
  WHERE score IS NOT NULL
), held AS (
  SELECT DISTINCT part AS period, record_key, split_part(record_key, '|', 4) AS unit_code
  FROM quarantine.open_rows
  WHERE source = 'survey' AND year BETWEEN $first_year AND $last_year AND starts_with(record_key, 'layanan|')
)
SELECT period, record_key, 'denominator' AS role, NULL AS reason, [unit_group, unit_code, element] AS path, score AS amount,
  record_key IN (SELECT record_key FROM held) AS is_contested, NULL AS flag
FROM answers
UNION ALL
SELECT period, record_key, 'excluded', 'no_answer', NULL, NULL, false, NULL
FROM newest
WHERE list_max(scores) IS NULL
UNION ALL
-- a held row of a unit that does not exist belongs to no unit and is in no band
SELECT period, record_key, 'held', NULL, [unit_group, unit_code, unnest($elements)], NULL, false, NULL
FROM held
JOIN units USING (unit_code)
WHERE record_key NOT IN (SELECT record_key FROM answers)
