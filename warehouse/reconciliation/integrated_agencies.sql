-- reads: states.integration
-- grain: one quarter, or one year (its newest quarter), and channel: agencies and those integrated both ways for `jabatan`
-- parameters: $clock, $known_batch
WITH newest AS (
  SELECT year, quarter, channel, is_integrated
  FROM states.integration
  WHERE history_type = 'jabatan'
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND letter_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY year, quarter, agency_code ORDER BY letter_date DESC, letter_number DESC) = 1
), placed AS (
  SELECT year, year || '-Q' || quarter AS period, channel, is_integrated FROM newest
  UNION ALL
  SELECT year, CAST(year AS VARCHAR), channel, is_integrated FROM newest
  QUALIFY quarter = max(quarter) OVER (PARTITION BY year)
)
SELECT year, period, channel, count(*) AS agencies, count(*) FILTER (is_integrated) AS integrated
FROM placed
GROUP BY year, period, channel
ORDER BY period, channel
