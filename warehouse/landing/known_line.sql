-- reads: ledger.places, ledger.line_shifts
-- grain: one row, the line of a data row of a delivery that was taken in; none where its file has no lines
-- parameters: $batch_id, $row_number
SELECT first_line + $row_number - 1
  + coalesce((SELECT max(shift) FROM ledger.line_shifts WHERE batch_id = $batch_id AND row_number <= $row_number), 0)
FROM ledger.places WHERE batch_id = $batch_id
