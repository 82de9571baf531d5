-- table: described_values (temporary)
-- inputs: facts.kpi_values, definition_indicators, definition_periods
-- grain: one indicator, period, office and version of its value
-- parameters: $office, our own
SELECT facts.indicator,
  -- an indicator that is defined no longer keeps its history, under its id
  coalesce(definitions.title_id, facts.indicator) AS title_id, coalesce(definitions.title_en, facts.indicator) AS title_en,
  facts.period, period_kind, periods.year, period_start, period_end, office, office = $office AS is_own_office, definition_version,
  cut_off, value, facts.decimals, facts.unit, target, status, numerator, denominator, excluded, band_low, band_high, is_provisional,
  flags, evidence_hash, known_from, known_to, reason, run
FROM facts.kpi_values AS facts
JOIN definition_periods AS periods ON periods.period = facts.period
LEFT JOIN definition_indicators AS definitions ON definitions.indicator = facts.indicator
