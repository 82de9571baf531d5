-- reads: facts.kpi_values, facts.service_summary
-- grain: one standing value that the held rows could change, or that they withhold
-- parameters: $office; {measures}: those of the services that have a band
SELECT indicator AS item, period, value, decimals, band_low, band_high
FROM facts.kpi_values
WHERE known_to IS NULL AND office = $office AND (band_low <> value OR band_high <> value)
UNION ALL
SELECT service || '.' || measure, group_name, value, decimals, band_low, band_high
FROM (
  SELECT service, group_name, {measures}
  FROM facts.service_summary
  WHERE known_to IS NULL AND office = $office AND breakdown = 'year'
)
WHERE band_low <> value OR band_high <> value
ORDER BY item, period
