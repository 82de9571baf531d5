-- records of: integration_channels
-- grain: one agency of the channel, by the key of its row
-- inputs: evidence
-- parameters: $period, $channel, $history_type
SELECT 'integration' AS source, replace(period, '-Q', '|') || '|' || record_key || '|' || label AS record_key, role, reason,
  CAST(CAST(amount AS INTEGER) AS VARCHAR) AS amount
FROM evidence
WHERE role IN ('numerator', 'denominator') AND label = $history_type AND period = $period AND path[1] = $channel
