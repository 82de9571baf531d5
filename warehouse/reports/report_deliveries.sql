-- reads: ledger.batches
-- grain: one delivery of a run
-- parameters: $run_id
SELECT batch_id, source, file, landed, accepted, quarantined, duplicate, sha256
FROM ledger.batches WHERE run_id = $run_id ORDER BY source, batch_id
