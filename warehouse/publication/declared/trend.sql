-- view: trend
-- grain: one indicator and year
-- inputs: kpi_values (published)
WITH years AS (
  SELECT indicator, title_id, title_en, year, value, unit, target, status, is_provisional, definition_version
  FROM kpi_values
  WHERE period_kind = 'year'
), compared AS (
  SELECT years.indicator, title_id, title_en, years.year, years.value, unit, target, status, is_provisional, years.definition_version,
    before.value AS previous_value, coalesce(before.definition_version <> years.definition_version, false) AS is_break
  FROM years
  LEFT JOIN (SELECT indicator, year, value, definition_version FROM years) AS before
    ON before.indicator = years.indicator AND before.year = years.year - 1
)
SELECT indicator, title_id, title_en, year, value, unit, target, status, is_provisional, definition_version, previous_value,
  CASE WHEN NOT is_break THEN value - previous_value END AS change, is_break
FROM compared
ORDER BY indicator, year
