-- reads: quarantine.held_rows
-- grain: one held row of a delivery, the first $shown
-- parameters: $batch_id, $shown
SELECT row_number, array_to_string(reasons, ', ') FROM quarantine.held_rows WHERE batch_id = $batch_id ORDER BY row_number LIMIT $shown
