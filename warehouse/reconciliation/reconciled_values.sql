-- reads: facts.kpi_values
-- grain: one indicator, period and printed measure: the value that stands, and former final values that only late data and
--   corrections have changed since
-- parameters: $office
WITH versions AS (
  SELECT indicator, period, value, decimals, target, numerator, denominator, status, flags, is_provisional, known_to,
    coalesce(bool_and(coalesce(reason IN ('late_data', 'correction'), false)) OVER newer, true) AS is_only_restated
  FROM facts.kpi_values
  WHERE office = $office
  WINDOW newer AS (
    PARTITION BY indicator, period ORDER BY known_from DESC, run DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
), earlier AS (
  SELECT indicator, period, list(value) AS former
  FROM versions
  WHERE known_to IS NOT NULL AND is_only_restated AND NOT is_provisional AND status = 'derived' AND NOT list_contains(flags, 'contested')
  GROUP BY indicator, period
), standing AS (
  SELECT versions.indicator, versions.period, value, decimals, target, numerator, denominator, status, flags, is_provisional,
    coalesce(former, []) AS former
  FROM versions
  LEFT JOIN earlier ON earlier.indicator = versions.indicator AND earlier.period = versions.period
  WHERE known_to IS NULL
)
SELECT indicator, period, 'realisasi' AS measure, value, decimals, status, flags, is_provisional, former FROM standing
UNION ALL
SELECT indicator, period, 'target', target, NULL, CASE WHEN target IS NULL THEN 'no_target' ELSE 'derived' END, [], false, [] FROM standing WHERE length(period) = 4
UNION ALL
SELECT indicator, period, 'numerator', numerator, NULL, status, flags, is_provisional, [] FROM standing
UNION ALL
SELECT indicator, period, 'denominator', denominator, NULL, status, flags, is_provisional, [] FROM standing
ORDER BY indicator, period, measure
