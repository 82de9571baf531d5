-- reads: the states of a source, and its typed rows that came with a key
-- grain: one row: how many records were delivered with a key, and in a layout without one too, and some of their delivered keys
-- inputs: states and rows as given; made_key: the key that the layout makes of such a row
-- parameters: $made_batches (deliveries in the layout), $shown; $landing where the rows are read from the archive
WITH delivered AS (
  SELECT DISTINCT record_key, {made_key} AS made_key FROM {rows}
), twice AS (
  SELECT DISTINCT delivered.record_key
  FROM delivered
  SEMI JOIN (SELECT record_key FROM {states} WHERE list_contains($made_batches, batch_id)) AS made
    ON made.record_key = delivered.made_key
  -- a row that was held back counts nowhere
  SEMI JOIN {states} AS known ON known.record_key = delivered.record_key
)
SELECT count(*) AS records, list_slice(list_sort(list(record_key)), 1, $shown) AS record_keys
FROM twice
