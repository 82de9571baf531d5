-- reads: ledger.batches, ledger.reprocessed, ledger.runs, quarantine.open_rows
-- grain: one source: its last delivery, and its held rows that concern these periods, or whose period cannot be read
-- parameters: $sources, $known_batch, $periods, $key_prefix
WITH delivered AS (
  SELECT batches.source, arg_max(batches.file, batches.batch_id) AS last_file, max(runs.clock) AS last_delivered
  FROM ledger.batches AS batches
  JOIN ledger.runs AS runs ON runs.run_id = batches.run_id
  WHERE batches.batch_id <= $known_batch AND batches.batch_id NOT IN (SELECT batch_id FROM ledger.reprocessed)
  GROUP BY batches.source
), held AS (
  SELECT source, count(*) FILTER (year IS NOT NULL) AS held, count(*) FILTER (year IS NULL) AS held_without_period
  FROM quarantine.open_rows
  WHERE coalesce(list_contains($periods, coalesce(part, CAST(year AS VARCHAR))), true)
    AND coalesce(starts_with(record_key, $key_prefix), true)
  GROUP BY source
)
SELECT sources.source, last_file, last_delivered, coalesce(held, 0) AS held, coalesce(held_without_period, 0) AS held_without_period
FROM (SELECT unnest($sources) AS source) AS sources
LEFT JOIN delivered ON delivered.source = sources.source
LEFT JOIN held ON held.source = sources.source
ORDER BY sources.source
