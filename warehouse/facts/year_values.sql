-- reads: facts.kpi_values
-- grain: one indicator, its value of the whole year in the version that stands
-- parameters: $year, $office
SELECT indicator, status, value, target
FROM facts.kpi_values
WHERE known_to IS NULL AND period = CAST($year AS VARCHAR) AND office = $office
ORDER BY indicator
