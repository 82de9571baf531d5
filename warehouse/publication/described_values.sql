-- table: described_values (temporary)
-- inputs: facts.kpi_values, definition_indicators, definition_periods
-- grain: one indicator, period, office and version of its value
-- parameters: $office, our own; {kept}: the columns of facts.kpi_values
SELECT
  -- an indicator that is defined no longer keeps its history, under its id
  coalesce(definitions.title_id, facts.indicator) AS title_id, coalesce(definitions.title_en, facts.indicator) AS title_en,
  period_kind, periods.year, period_start, period_end, facts.office = $office AS is_own_office,
  {kept}, facts.known_from, facts.known_to, facts.reason, facts.run
FROM facts.kpi_values AS facts
JOIN definition_periods AS periods ON periods.period = facts.period
LEFT JOIN definition_indicators AS definitions ON definitions.indicator = facts.indicator
