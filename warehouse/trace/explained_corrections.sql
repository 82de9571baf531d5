-- reads: ledger.corrections
-- grain: one correction entry that made one of these deliveries
-- parameters: $batches
SELECT correction_id, source, record_key, column_name, reason, owner
FROM ledger.corrections
WHERE list_contains($batches, batch_id)
ORDER BY correction_id
