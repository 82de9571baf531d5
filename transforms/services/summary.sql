-- table: facts.service_summary (fresh rows)
-- grain: one service, year, breakdown and group with at least one received proposal
-- inputs: service_records, quarantine.open_rows
-- parameters: $two_day_limit_days
-- What stands in braces is made of breakdowns.yml and measures.yml, see measures.py
WITH cells AS (
  -- proposals that count alike in every breakdown: the groups below add cells up, not proposals
  SELECT service, year, reason, outcome, is_ever_returned, decision_days,
    {groups},
    count(*) AS records,
    bit_xor(md5_number(record_key || ':' || role || ':' || coalesce(reason, ''))) AS fingerprint
  FROM service_records
  GROUP BY ALL
), in_groups AS (
  SELECT service, year, reason, outcome, is_ever_returned, decision_days, records, fingerprint, unnest([
    {breakdowns}
  ], recursive := true)
  FROM cells
), counted AS (
  SELECT service, year, breakdown, group_name,
    {counts},
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
    {neighbours}
  FROM cumulated
  GROUP BY service, year, breakdown, group_name, decided
), quantiles AS (
  SELECT service, year, breakdown, group_name,
    {quantiles}
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
  SELECT counted.*,
    CASE WHEN breakdown = 'year' THEN coalesce(unknown, 0) END AS unknown,
    coalesce(contested.undecided, 0) AS contested_undecided, coalesce(contested.decided, 0) AS contested_decided
  FROM counted LEFT JOIN contested ON contested.service = counted.service AND contested.year = counted.year
)
SELECT completed.service, completed.year, completed.breakdown, completed.group_name,
  {measures},
  coalesce(excluded, '{}') AS excluded,
  percent_half_up(counted_completion - contested_decided, of_completion + unknown) AS completion_band_low,
  percent_half_up(counted_completion + contested_undecided + unknown, of_completion + unknown) AS completion_band_high,
  evidence_hash
FROM completed
LEFT JOIN quantiles USING (service, year, breakdown, group_name)
LEFT JOIN reasons USING (service, year, breakdown, group_name)
WHERE counted_received > 0
