-- table: kpi_scores
-- grain: one measure, item, year and office
-- inputs: facts.kpi_scores
SELECT measure, item, year, office, definition_version, cut_off, value, decimals, unit, status AS score_status, missing, category,
  is_provisional, known_from, run
FROM facts.kpi_scores
WHERE known_to IS NULL
