-- table: batches
-- grain: one delivery
-- inputs: ledger.readings (of a delivery that was judged again, the newest), ledger.batches, ledger.runs
SELECT batches.source, batches.file, batches.sha256, runs.run, batches.is_correction, batches.landed, batches.accepted,
  batches.quarantined, batches.duplicate
FROM ledger.readings AS readings
JOIN ledger.batches AS batches ON batches.batch_id = readings.batch_id
LEFT JOIN ledger.runs AS runs ON runs.run_id = batches.run_id
