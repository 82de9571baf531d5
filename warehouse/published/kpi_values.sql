-- table: kpi_values
-- grain: one indicator, period and office
-- inputs: facts.kpi_values
SELECT indicator, period, office, definition_version, cut_off, value, decimals, unit, target, status, numerator, denominator,
  excluded, band_low, band_high, is_provisional, flags, evidence_hash, known_from, run
FROM facts.kpi_values
WHERE known_to IS NULL
