-- reads: quarantine.held_places
-- grain: one held row of a delivery, the first $shown
-- parameters: $batch_id, $shown
SELECT row_number, line, letters, array_to_string(reasons, ', ') FROM quarantine.held_places WHERE batch_id = $batch_id
ORDER BY row_number LIMIT $shown
