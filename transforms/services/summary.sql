-- table: facts.service_summary (fresh rows)
-- grain: one service, year, breakdown (year, region, agency, period) and group with at least one received proposal
-- inputs: service_records, quarantine.open_rows
-- parameters: $two_day_limit_days
WITH cells AS (
  -- proposals that count alike in every breakdown: the groups below add cells up, not proposals
  SELECT service, year, region, agency_code, period_date, reason, outcome, is_ever_returned, decision_days,
    count(*) AS records,
    bit_xor(md5_number(record_key || ':' || role || ':' || coalesce(reason, ''))) AS fingerprint
  FROM service_records
  GROUP BY ALL
), in_groups AS (
  SELECT service, year, reason, outcome, is_ever_returned, decision_days, records, fingerprint, unnest([
    struct_pack(breakdown := 'year', group_name := CAST(year AS VARCHAR)),
    struct_pack(breakdown := 'region', group_name := region),
    struct_pack(breakdown := 'agency', group_name := agency_code),
    struct_pack(breakdown := 'period', group_name := CAST(period_date AS VARCHAR))
  ], recursive := true)
  FROM cells
), counted AS (
  SELECT service, year, breakdown, group_name,
    CAST(coalesce(sum(records) FILTER (reason IS NULL), 0) AS BIGINT) AS received,
    CAST(coalesce(sum(records) FILTER (outcome = 'MS'), 0) AS BIGINT) AS ms,
    CAST(coalesce(sum(records) FILTER (outcome = 'BTS'), 0) AS BIGINT) AS bts,
    CAST(coalesce(sum(records) FILTER (outcome = 'TMS'), 0) AS BIGINT) AS tms,
    CAST(coalesce(sum(records) FILTER (outcome = 'IN_PROCESS'), 0) AS BIGINT) AS in_process,
    CAST(coalesce(sum(records) FILTER (reason IS NULL AND is_ever_returned), 0) AS BIGINT) AS ever_returned,
    CAST(coalesce(sum(records) FILTER (reason IS NULL AND decision_days IS NOT NULL), 0) AS BIGINT) AS decided,
    CAST(coalesce(sum(records) FILTER (reason IS NULL AND decision_days <= $two_day_limit_days), 0) AS BIGINT) AS two_day,
    lower(hex(bit_xor(fingerprint))) AS evidence_hash
  FROM in_groups
  WHERE group_name IS NOT NULL
  GROUP BY service, year, breakdown, group_name
), reasons AS (
  SELECT service, year, breakdown, group_name,
    '{' || string_agg('"' || reason || '": ' || records, ', ' ORDER BY reason) || '}' AS excluded
  FROM (
    SELECT service, year, breakdown, group_name, reason, CAST(sum(records) AS BIGINT) AS records
    FROM in_groups WHERE reason IS NOT NULL AND group_name IS NOT NULL GROUP BY ALL
  )
  GROUP BY service, year, breakdown, group_name
), day_counts AS (
  SELECT service, year, breakdown, group_name, decision_days, CAST(sum(records) AS BIGINT) AS records
  FROM in_groups
  WHERE reason IS NULL AND decision_days IS NOT NULL AND group_name IS NOT NULL
  GROUP BY service, year, breakdown, group_name, decision_days
), cumulated AS (
  SELECT service, year, breakdown, group_name, decision_days,
    CAST(sum(records) OVER running AS BIGINT) AS up_to, CAST(sum(records) OVER whole AS BIGINT) AS decided
  FROM day_counts
  WINDOW whole AS (PARTITION BY service, year, breakdown, group_name),
    running AS (PARTITION BY service, year, breakdown, group_name ORDER BY decision_days)
), neighbours AS (
  -- a quantile q of n values lies at position q (n - 1), between two neighbours; positions in hundredths
  SELECT service, year, breakdown, group_name, decided,
    min(decision_days) FILTER (up_to > (decided - 1) * 50 // 100) AS median_below,
    min(decision_days) FILTER (up_to > least((decided - 1) * 50 // 100 + 1, decided - 1)) AS median_above,
    min(decision_days) FILTER (up_to > (decided - 1) * 90 // 100) AS p90_below,
    min(decision_days) FILTER (up_to > least((decided - 1) * 90 // 100 + 1, decided - 1)) AS p90_above
  FROM cumulated
  GROUP BY service, year, breakdown, group_name, decided
), quantiles AS (
  SELECT service, year, breakdown, group_name,
    CAST(median_below * 100 + (decided - 1) * 50 % 100 * (median_above - median_below) AS DECIMAL(18, 0)) * 0.01 AS median_days,
    CAST(p90_below * 100 + (decided - 1) * 90 % 100 * (p90_above - p90_below) AS DECIMAL(18, 0)) * 0.01 AS p90_days
  FROM neighbours
), contested AS (
  -- distinct held keys of the year: in scope or not, decided or not, as the known records have them (ruling 30)
  SELECT held.service, held.year,
    count(*) FILTER (records.record_key IS NULL) AS unknown,
    count(*) FILTER (records.role = 'denominator') AS undecided,
    count(*) FILTER (records.role = 'numerator') AS decided
  FROM (
    SELECT DISTINCT source AS service, year, record_key FROM quarantine.open_rows WHERE record_key IS NOT NULL
  ) AS held
  LEFT JOIN service_records AS records
    ON records.service = held.service AND records.year = held.year AND records.record_key = held.record_key
  GROUP BY held.service, held.year
), completed AS (
  SELECT counted.*, ms + bts + tms AS completed,
    CASE WHEN breakdown = 'year' THEN coalesce(unknown, 0) END AS unknown,
    coalesce(contested.undecided, 0) AS contested_undecided, coalesce(contested.decided, 0) AS contested_decided
  FROM counted LEFT JOIN contested ON contested.service = counted.service AND contested.year = counted.year
)
SELECT completed.service, completed.year, completed.breakdown, completed.group_name,
  received AS received_count, ms AS ms_count, bts AS bts_count, tms AS tms_count, in_process AS in_process_count,
  percent_half_up(completed, received) AS completion_percent,
  percent_half_up(ms, received) AS approval_percent,
  ever_returned AS ever_returned_count,
  decided AS decided_count,
  percent_half_up(two_day, decided) AS two_day_percent,
  CAST(median_days AS DECIMAL(12, 2)) AS median_days,
  CAST(p90_days AS DECIMAL(12, 2)) AS p90_days,
  coalesce(excluded, '{}') AS excluded,
  percent_half_up(completed - contested_decided, received + unknown) AS completion_band_low,
  percent_half_up(completed + contested_undecided + unknown, received + unknown) AS completion_band_high,
  evidence_hash
FROM completed
LEFT JOIN quantiles USING (service, year, breakdown, group_name)
LEFT JOIN reasons USING (service, year, breakdown, group_name)
WHERE received > 0
