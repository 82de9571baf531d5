-- reads: quarantine.open_rows, quarantine.held_places, ledger.batches
-- grain: one open held row
-- parameters: none
SELECT open_rows.source, file, open_rows.row_number, open_rows.reasons, line, letters
FROM quarantine.open_rows AS open_rows
JOIN ledger.batches USING (batch_id)
JOIN quarantine.held_places AS places USING (batch_id, row_number)
ORDER BY open_rows.source, batch_id, open_rows.row_number
