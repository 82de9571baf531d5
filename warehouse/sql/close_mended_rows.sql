-- table: quarantine.held_rows
-- grain: one held row; closes those whose key this delivery accepted a later row of
-- inputs: {states} (the source's states)
-- parameters: $batch_id, $source
UPDATE quarantine.held_rows AS held SET closed_by_batch_id = $batch_id
FROM (
  SELECT record_key, max(row_number) AS last_row FROM {states}
  WHERE batch_id = $batch_id
    AND record_key IN (SELECT record_key FROM quarantine.open_rows WHERE source = $source)
  GROUP BY record_key
) AS mended
WHERE held.source = $source AND held.closed_by_batch_id IS NULL AND held.record_key = mended.record_key
  AND (held.batch_id < $batch_id OR held.row_number < mended.last_row)
