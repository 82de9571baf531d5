-- reads: kpi_values_history, kpi_scores_history (published)
-- grain: one period and version of an indicator, or of the NPSS
-- parameters: $item, $office
SELECT indicator, period, value, decimals, status, definition_version, known_from, known_to, reason, run
FROM kpi_values_history
WHERE indicator = $item AND office = $office
UNION ALL
SELECT item, CAST(year AS VARCHAR), value, decimals, score_status, definition_version, known_from, known_to, reason, run
FROM kpi_scores_history
WHERE measure = 'npss' AND item = $item AND office = $office
ORDER BY period, known_from
