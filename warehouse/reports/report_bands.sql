-- reads: facts.kpi_values, facts.service_summary
-- grain: one standing value that the held rows could change, or that they withhold
-- parameters: $office
SELECT indicator AS item, period, value, decimals, band_low, band_high
FROM facts.kpi_values
WHERE known_to IS NULL AND office = $office AND (band_low <> value OR band_high <> value)
UNION ALL
SELECT service || '.completion', group_name, completion_percent, 2, completion_band_low, completion_band_high
FROM facts.service_summary
WHERE known_to IS NULL AND office = $office AND breakdown = 'year'
  AND (completion_band_low <> completion_percent OR completion_band_high <> completion_percent)
ORDER BY item, period
