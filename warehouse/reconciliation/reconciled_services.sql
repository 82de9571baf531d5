-- reads: facts.service_summary
-- grain: one service, period or region of a year, and printed measure: the number that stands
-- parameters: $office; {measures}: those that reports print
SELECT service,
  CASE breakdown WHEN 'period' THEN group_name ELSE CAST(year AS VARCHAR) END AS period,
  CASE breakdown WHEN 'region' THEN group_name END AS region,
  is_provisional,
  {measures}
FROM facts.service_summary
WHERE known_to IS NULL AND office = $office AND breakdown IN ('year', 'period', 'region')
ORDER BY service, period, region
