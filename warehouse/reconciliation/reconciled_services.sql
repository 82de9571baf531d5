-- reads: facts.service_summary
-- grain: one service, period, region or kind of recruitment of a year, and printed measure: the number that stands
-- parameters: $office; {measures}: those that reports print
SELECT service,
  CASE breakdown WHEN 'period' THEN group_name ELSE CAST(year AS VARCHAR) END AS period,
  CASE WHEN breakdown IN ('region', 'kind') THEN group_name END AS group_code,
  is_provisional,
  {measures}
FROM facts.service_summary
WHERE known_to IS NULL AND office = $office AND breakdown IN ('year', 'period', 'region', 'kind')
ORDER BY service, period, group_code
