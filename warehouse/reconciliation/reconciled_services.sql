-- reads: facts.service_summary
-- grain: one service, period or region of a year, and printed measure: the number that stands
-- parameters: $office
WITH standing AS (
  SELECT service,
    CASE breakdown WHEN 'period' THEN group_name ELSE CAST(year AS VARCHAR) END AS period,
    CASE breakdown WHEN 'region' THEN group_name END AS region,
    received_count, ms_count, bts_count, tms_count, in_process_count, completion_percent, is_provisional
  FROM facts.service_summary
  WHERE known_to IS NULL AND office = $office AND breakdown IN ('year', 'period', 'region')
)
SELECT service, period, region, is_provisional, unnest([
  struct_pack(measure := 'received', value := CAST(received_count AS DECIMAL(18, 2)), decimals := 0),
  struct_pack(measure := 'ms', value := CAST(ms_count AS DECIMAL(18, 2)), decimals := 0),
  struct_pack(measure := 'bts', value := CAST(bts_count AS DECIMAL(18, 2)), decimals := 0),
  struct_pack(measure := 'tms', value := CAST(tms_count AS DECIMAL(18, 2)), decimals := 0),
  struct_pack(measure := 'in_process', value := CAST(in_process_count AS DECIMAL(18, 2)), decimals := 0),
  struct_pack(measure := 'completion', value := CAST(completion_percent AS DECIMAL(18, 2)), decimals := 2)
], recursive := true)
FROM standing
ORDER BY service, period, region
