-- reads: facts.reconciliation, facts.contested, facts.kpi_values, facts.kpi_scores
-- grain: one delivered printed number that contradicts, with each number that it holds back (one row without any where it holds none)
-- parameters: $office
WITH standing AS (
  SELECT 'value' AS measure, indicator AS item, period, status, flags, value, decimals
  FROM facts.kpi_values
  WHERE known_to IS NULL AND office = $office
  UNION ALL
  SELECT measure, item, CAST(year AS VARCHAR), status, [], value, decimals
  FROM facts.kpi_scores
  WHERE known_to IS NULL AND office = $office
)
SELECT lines.item, lines.published, lines.derived, lines.printed_in, lines.note, held.held_name, held.period, standing.status, standing.value,
  standing.decimals
FROM facts.reconciliation AS lines
LEFT JOIN facts.contested AS held ON held.item = lines.item
LEFT JOIN standing
  ON standing.measure = held.measure AND standing.item = held.held_item AND standing.period = held.period
WHERE lines.is_delivered AND lines.verdict = 'different'
ORDER BY lines.item, held.rowid
