-- table: kpi_scores_history
-- grain: one measure, item, year, office and version
-- inputs: facts.kpi_scores
SELECT measure, item, year, office, definition_version, cut_off, value, decimals, unit, status AS score_status, missing, category,
  is_provisional, known_from, known_to, reason, run
FROM facts.kpi_scores
