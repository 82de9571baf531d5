-- tables: known_states, known_held, known_same (temporary views)
-- grain: one state, one quarantined row, one state of a record that came in a layout without a key too, of the newest reading of each delivery; every batch id is as
--        which a delivery was first taken in
-- inputs: {states} (the source's states, of the columns {columns}), ledger.readings, ledger.reprocessed, quarantine.held_rows, ledger.same_records
-- parameters: none; {source} is the source's name
CREATE OR REPLACE TEMP VIEW known_states AS
SELECT {columns}, readings.first_batch_id AS batch_id, states.row_number,
  coalesce(replacing.first_batch_id, states.replaced_by_batch_id) AS replaced_by_batch_id
FROM {states} AS states
JOIN ledger.readings AS readings ON readings.batch_id = states.batch_id
LEFT JOIN ledger.reprocessed AS replacing ON replacing.batch_id = states.replaced_by_batch_id;
CREATE OR REPLACE TEMP VIEW known_held AS
SELECT readings.first_batch_id AS batch_id, held.source, held.row_number, held.reasons, held.record_key, held.year, held.part,
  coalesce(closing.first_batch_id, held.closed_by_batch_id) AS closed_by_batch_id, held.state_at, held.categories
FROM quarantine.held_rows AS held
JOIN ledger.readings AS readings ON readings.batch_id = held.batch_id
LEFT JOIN ledger.reprocessed AS closing ON closing.batch_id = held.closed_by_batch_id
WHERE held.source = '{source}';
CREATE OR REPLACE TEMP VIEW known_same AS
SELECT same.source, readings.first_batch_id AS batch_id, same.row_number, same.same_key,
  coalesce(noting.first_batch_id, same.known_batch) AS known_batch
FROM ledger.same_records AS same
JOIN ledger.readings AS readings ON readings.batch_id = same.batch_id
LEFT JOIN ledger.reprocessed AS noting ON noting.batch_id = same.known_batch
WHERE same.source = '{source}';
