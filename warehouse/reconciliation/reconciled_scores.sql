-- reads: facts.kpi_scores
-- grain: one item, year and printed measure: the number that stands, and former final ones that only late data and corrections
--   have changed since; and the total of the programs' budgets
-- parameters: $office; $measures and what a report calls each, $printed
WITH printed_measures (measure, printed) AS (
  SELECT unnest(CAST($measures AS VARCHAR[])), unnest(CAST($printed AS VARCHAR[]))
), versions AS (
  SELECT measure, item, year, value, decimals, status, category, is_provisional, known_to,
    coalesce(bool_and(coalesce(reason IN ('late_data', 'correction'), false)) OVER newer, true) AS is_only_restated
  FROM facts.kpi_scores
  WHERE office = $office
  WINDOW newer AS (
    PARTITION BY measure, item, year ORDER BY known_from DESC, run DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
), earlier AS (
  SELECT measure, item, year, list(value) AS former
  FROM versions
  WHERE known_to IS NOT NULL AND is_only_restated AND NOT is_provisional AND value IS NOT NULL AND status <> 'contested'
  GROUP BY measure, item, year
), standing AS (
  SELECT measure, item, year, value, decimals, status, category, is_provisional FROM versions WHERE known_to IS NULL
)
SELECT item, CAST(year AS VARCHAR) AS period, printed AS measure, value, decimals, category, status, is_provisional,
  coalesce(former, []) AS former
FROM standing
JOIN printed_measures USING (measure)
LEFT JOIN earlier USING (measure, item, year)
UNION ALL
SELECT 'programs', CAST(year AS VARCHAR), (SELECT printed FROM printed_measures WHERE measure = 'allocation'), sum(value), 0, NULL, 'derived', bool_or(is_provisional), []
FROM standing
WHERE measure = 'allocation' AND NOT starts_with(item, 'IKU-')
GROUP BY year
ORDER BY item, period, measure
