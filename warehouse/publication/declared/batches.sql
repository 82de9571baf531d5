-- table: batches
-- grain: one delivery
-- inputs: ledger.batches, ledger.runs
SELECT batches.source, batches.file, batches.sha256, runs.run, batches.is_correction, batches.landed, batches.accepted,
  batches.quarantined, batches.duplicate
FROM ledger.batches AS batches
LEFT JOIN ledger.runs AS runs ON runs.run_id = batches.run_id
