-- reads: facts.kpi_values
-- grain: one indicator and year whose value this run changed, with the reason (NULL: its first value)
-- parameters: $run, $office
SELECT indicator, CAST(period AS INTEGER) AS year, reason
FROM facts.kpi_values
WHERE run = $run AND office = $office AND known_to IS NULL AND length(period) = 4
