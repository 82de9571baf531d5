-- table: kpi_values_history
-- grain: one indicator, period, office and version
-- inputs: facts.kpi_values
SELECT indicator, period, office, definition_version, cut_off, value, decimals, unit, target, status, numerator, denominator,
  excluded, band_low, band_high, is_provisional, flags, evidence_hash, known_from, known_to, reason, run
FROM facts.kpi_values
