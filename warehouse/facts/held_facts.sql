-- reads: facts.kpi_values, facts.kpi_scores
-- grain: one number of our office that is held back now
-- parameters: $office
SELECT 'value' AS measure, indicator AS item, period
FROM facts.kpi_values
WHERE known_to IS NULL AND office = $office AND list_contains(flags, 'contested')
UNION ALL
SELECT measure, item, CAST(year AS VARCHAR)
FROM facts.kpi_scores
WHERE known_to IS NULL AND office = $office AND status IN ('contested', 'withheld_contested')
