-- reads: kpi_values_history, peer_values_history (published)
-- grain: one indicator and period, the version known at $clock (NULL: now)
-- parameters: $year, $period, $indicator (NULL: all), $office, $clock
WITH every_office AS (
  SELECT indicator, period, year, value, decimals, unit, target, status, numerator, denominator, definition_version, known_from,
    known_to, is_provisional, flags, excluded, band_low, band_high, cut_off, office, run
  FROM kpi_values_history
  UNION ALL
  SELECT indicator, period, year, value, decimals, unit, target, status, numerator, denominator, definition_version, known_from,
    known_to, is_provisional, flags, excluded, band_low, band_high, cut_off, office, run
  FROM peer_values_history
)
SELECT indicator, period, value, decimals, unit, target, status, numerator, denominator, definition_version, known_from,
  is_provisional AS provisional, flags, excluded, band_low, band_high, cut_off, office, run
FROM every_office
WHERE version_is_known(known_from, known_to, $clock)
  AND coalesce(year = $year, true)
  AND coalesce(period = $period, true)
  AND office = $office
  AND coalesce(indicator = upper($indicator), true)
ORDER BY indicator, year, length(period), period
