-- reads: kpi_values_history (published)
-- grain: one indicator and period, the version known at $clock (NULL: now)
-- parameters: $year, $period, $indicator (NULL: all), $office, $clock
SELECT indicator, period, value, decimals, unit, target, status, numerator, denominator, definition_version, known_from,
  is_provisional AS provisional, flags, excluded, band_low, band_high, cut_off, office, run
FROM kpi_values_history
WHERE CASE WHEN $clock IS NULL THEN known_to IS NULL ELSE known_from <= $clock AND (known_to IS NULL OR known_to > $clock) END
  AND coalesce(left(period, 4) = CAST($year AS VARCHAR), true)
  AND coalesce(period = $period, true)
  AND office = $office
  AND coalesce(indicator = upper($indicator), true)
ORDER BY indicator, left(period, 4), length(period), period
