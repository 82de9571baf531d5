-- table: ledger.same_records
-- grain: one accepted state with a key of its own, of a record that came in the layout without one too
-- inputs: states and typed rows of one delivery as given; made_key: the key that the layout makes of such a row; ledger.batches
-- parameters: $source, $rows_batch (the delivery of the rows), $layout; $landing and $batch_id where the rows are read from the archive
INSERT INTO ledger.same_records
SELECT $source, $rows_batch, delivered.row_number, made.record_key, greatest($rows_batch, made.first_batch)
FROM {rows} AS delivered
-- a row that was held back counts nowhere
SEMI JOIN {states} AS accepted ON accepted.batch_id = $rows_batch AND accepted.row_number = delivered.row_number
JOIN (
  SELECT record_key, min(batch_id) AS first_batch
  FROM {states} SEMI JOIN (SELECT batch_id FROM ledger.batches WHERE source = $source AND layout = $layout) USING (batch_id)
  GROUP BY record_key
) AS made ON made.record_key = {made_key}
ANTI JOIN ledger.same_records AS noted
  ON noted.source = $source AND noted.batch_id = $rows_batch AND noted.row_number = delivered.row_number
