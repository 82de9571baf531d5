-- reads: facts.kpi_values
-- grain: one derived value of our office that is flagged as standing beside a printed one by somebody's word (a reported value has
--   the flag where a choice was made among its printings)
-- parameters: $office
SELECT indicator, period
FROM facts.kpi_values
WHERE known_to IS NULL AND office = $office AND status = 'derived' AND list_contains(flags, 'waived')
