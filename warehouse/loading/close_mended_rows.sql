-- table: quarantine.held_rows
-- grain: one held row; closes those whose key this delivery accepted a later row of, of the same or a newer state time
-- inputs: {states} (the source's states); {state_at} is their state time as an instant
-- parameters: $batch_id, $source
UPDATE quarantine.held_rows AS held SET closed_by_batch_id = $batch_id
FROM (
  SELECT record_key, row_number, {state_at} AS state_at FROM {states}
  WHERE batch_id = $batch_id
    AND record_key IN (SELECT record_key FROM quarantine.open_rows WHERE source = $source)
) AS mended
WHERE held.source = $source AND held.closed_by_batch_id IS NULL AND held.record_key = mended.record_key
  AND (held.batch_id < $batch_id OR held.row_number < mended.row_number)
  -- an older state mends nothing; a held row without a readable state time is mended by any
  AND coalesce(mended.state_at >= held.state_at, true)
