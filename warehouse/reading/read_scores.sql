-- reads: kpi_scores_history, kpi_values_history (published)
-- grain: one number of the year's score, the version known at $clock (NULL: now); of an indicator's capaian the value and the
--   target that it was computed from beside it
-- parameters: $year, $clock, $office
WITH known_scores AS (
  SELECT measure, item, year, office, value, decimals, unit, score_status, missing, category, is_provisional
  FROM kpi_scores_history
  WHERE version_is_known(known_from, known_to, $clock)
    AND year = $year AND office = $office
), known_values AS (
  SELECT indicator, office, value AS realization, target
  FROM kpi_values_history
  WHERE version_is_known(known_from, known_to, $clock)
    AND period = CAST($year AS VARCHAR)
)
SELECT measure, item, known_scores.value, decimals, unit, score_status AS status, missing, category, is_provisional AS provisional,
  realization, target
FROM known_scores
LEFT JOIN known_values
  ON measure = 'capaian' AND known_values.indicator = known_scores.item AND known_values.office = known_scores.office
ORDER BY measure, item
