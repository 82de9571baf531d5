-- reads: ledger.batches
-- grain: one delivery
-- parameters: $batches
SELECT batch_id, source, file, sha256 FROM ledger.batches WHERE list_contains($batches, batch_id) ORDER BY source, batch_id
