-- table: ledger.touched_years
-- grain: one year that the delivery touches: of every state of every key in it, and of every row held or closed by it
-- inputs: {states} (the source's states), quarantine.held_rows
-- parameters: $batch_id, $source; {year} is the contract's expression for a row's year
INSERT INTO ledger.touched_years
WITH touched_keys AS (
  SELECT record_key FROM {states} WHERE batch_id = $batch_id OR replaced_by_batch_id = $batch_id
), touched_years AS (
  SELECT try_cast({year} AS INTEGER) AS touched_year FROM {states} WHERE batch_id = $batch_id OR replaced_by_batch_id = $batch_id
  UNION
  -- other states of the same keys: of a source's first delivery there are none, and they are not looked for
  SELECT try_cast({year} AS INTEGER) FROM {states} SEMI JOIN touched_keys USING (record_key)
  WHERE batch_id <> $batch_id AND EXISTS (FROM ledger.batches WHERE source = $source AND batch_id < $batch_id)
  UNION
  SELECT year FROM quarantine.held_rows WHERE source = $source AND (batch_id = $batch_id OR closed_by_batch_id = $batch_id)
)
-- a held row may state any number: what is no four-digit year is no year of anything
SELECT $source, touched_year, $batch_id FROM touched_years WHERE touched_year BETWEEN 1000 AND 9998
