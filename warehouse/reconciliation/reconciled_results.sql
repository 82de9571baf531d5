-- reads: facts.survey_elements, facts.survey_units, facts.integration_channels, facts.budget_revisions, facts.agency_results
-- grain: one figure as a report prints it, and the source that it is counted from: the number that stands
-- parameters: $office
WITH elements AS (
  -- a survey without units is printed without one
  SELECT survey_code, period, element_code, mean_score, is_provisional,
    CASE WHEN bool_or(unit_code <> 'total') OVER (PARTITION BY survey_code, period) THEN unit_code || '/' ELSE '' END AS of_unit
  FROM facts.survey_elements
  WHERE known_to IS NULL AND office = $office
), channels AS (
  SELECT year, period, channel, agency_count, integrated_count, share_percent, is_newest_quarter, is_provisional
  FROM facts.integration_channels
  WHERE known_to IS NULL AND office = $office AND history_type = 'jabatan'
), placed AS (
  SELECT period, channel, agency_count, integrated_count, share_percent, is_provisional FROM channels
  UNION ALL
  -- the newest quarter gives the year
  SELECT CAST(year AS VARCHAR), channel, agency_count, integrated_count, share_percent, is_provisional FROM channels WHERE is_newest_quarter
), first_budgets AS (
  SELECT budget_code, year, allocated_rupiah, is_provisional
  FROM facts.budget_revisions
  WHERE known_to IS NULL AND office = $office AND revision_number = 0
), results AS (
  SELECT indicator, year, is_in_numerator, agency_score, is_provisional
  FROM facts.agency_results
  WHERE known_to IS NULL AND office = $office
)
SELECT 'survey' AS source, survey_code AS subject, period, 'element_mean' AS measure, of_unit || element_code AS group_name, mean_score AS value,
  2 AS decimals, is_provisional
FROM elements
UNION ALL
SELECT 'survey', survey_code, period, 'ikm', unit_code, ikm_value, 2, is_provisional
FROM facts.survey_units
WHERE known_to IS NULL AND office = $office AND ikm_value IS NOT NULL
UNION ALL
SELECT 'integration', 'integration', period, measure, channel, value, decimals, is_provisional
FROM (
  SELECT period, channel, is_provisional, unnest([
    struct_pack(measure := 'agencies', value := CAST(agency_count AS DECIMAL(18, 2)), decimals := 0),
    struct_pack(measure := 'integrated', value := CAST(integrated_count AS DECIMAL(18, 2)), decimals := 0),
    struct_pack(measure := 'share', value := CAST(share_percent AS DECIMAL(18, 2)), decimals := 2)
  ], recursive := true)
  FROM placed
)
UNION ALL
SELECT 'integration', 'integration', period, 'agencies', NULL, sum(agency_count), 0, bool_or(is_provisional) FROM placed GROUP BY period
UNION ALL
SELECT 'budget', budget_code, CAST(year AS VARCHAR), 'pagu_awal', NULL, allocated_rupiah, 0, is_provisional FROM first_budgets
UNION ALL
SELECT 'budget', 'programs', CAST(year AS VARCHAR), 'pagu_awal', NULL, sum(allocated_rupiah), 0, bool_or(is_provisional)
FROM first_budgets
WHERE NOT starts_with(budget_code, 'IKU-')
GROUP BY year
UNION ALL
SELECT 'nspk_assessment', indicator, CAST(year AS VARCHAR), 'not_a_or_b', NULL, count(*) FILTER (NOT is_in_numerator), 0, bool_or(is_provisional)
FROM results
WHERE indicator = 'IKU-01'
GROUP BY indicator, year
UNION ALL
-- the mean of the agencies that measured, half up once: scores have six decimals
SELECT 'ip_asn_measurement', 'region', CAST(year AS VARCHAR), 'ip_asn', NULL,
  CAST((2 * sum(CAST(agency_score * 1000000 AS HUGEINT)) + 10000 * count(*)) // (20000 * count(*)) AS DECIMAL(18, 0)) * 0.01, 2, bool_or(is_provisional)
FROM results
WHERE indicator = 'IKU-02' AND agency_score IS NOT NULL
GROUP BY year
ORDER BY subject, period, measure, group_name
