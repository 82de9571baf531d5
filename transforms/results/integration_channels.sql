-- table: integration_channels
-- grain: one quarter, channel and history type: the agencies of the channel
-- inputs: evidence (of IKU-06 by channel, once a history type, which its label names), states.integration
-- parameters: $year, $clock, $known_batch
WITH agencies AS (
  SELECT period, path[1] AS channel, label AS history_type, role = 'numerator' AS is_integrated
  FROM evidence
  WHERE role IN ('numerator', 'denominator')
), counts AS (
  SELECT period, channel, history_type, count(*) AS agency_count, count(*) FILTER (is_integrated) AS integrated_count
  FROM agencies
  GROUP BY period, channel, history_type
), letters AS (
  -- the newest letter of the quarter; of two of one date the greater number (ruling 25)
  SELECT year || '-Q' || quarter AS period, max_by(letter_number, (letter_date, letter_number)) AS letter_number, max(letter_date) AS letter_date
  FROM states.integration
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND letter_date <= CAST($clock AS DATE)
  GROUP BY year, quarter
)
SELECT counts.period, channel, history_type, agency_count, integrated_count,
  CAST(CAST((20000 * integrated_count + agency_count) // (2 * agency_count) AS DECIMAL(7, 0)) * 0.01 AS DECIMAL(9, 2)) AS share_percent,
  letter_number, letter_date, counts.period = max(counts.period) OVER () AS is_newest_quarter
FROM counts
LEFT JOIN letters ON letters.period = counts.period
