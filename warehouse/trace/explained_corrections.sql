-- reads: ledger.corrections, ledger.reprocessed
-- grain: one correction entry that made one of these deliveries
-- parameters: $batches
SELECT correction_id, source, record_key, column_name, reason, owner
FROM ledger.corrections
-- an entry is known by the delivery as which it was first taken in
WHERE batch_id IN (
  SELECT coalesce(again.first_batch_id, used.batch_id)
  FROM (SELECT unnest($batches) AS batch_id) AS used
  LEFT JOIN ledger.reprocessed AS again ON again.batch_id = used.batch_id
)
ORDER BY correction_id
