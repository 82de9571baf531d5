-- view: current_year
-- grain: one indicator
-- inputs: kpi_values, kpi_scores, indicators (published)
WITH newest AS (
  SELECT max(year) AS year FROM kpi_values
), capaian AS (
  SELECT item, year, office, value FROM kpi_scores WHERE measure = 'capaian'
)
SELECT kpi_values.indicator, kpi_values.title_id, kpi_values.title_en, perspective, objective, kpi_values.year, kpi_values.value,
  kpi_values.unit, target, capaian.value AS capaian_percent, status, is_provisional, flags, cut_off, known_from
FROM kpi_values
JOIN newest ON newest.year = kpi_values.year
JOIN indicators ON indicators.indicator = kpi_values.indicator
LEFT JOIN capaian ON capaian.item = kpi_values.indicator AND capaian.year = kpi_values.year AND capaian.office = kpi_values.office
WHERE period_kind = 'year'
ORDER BY kpi_values.indicator
