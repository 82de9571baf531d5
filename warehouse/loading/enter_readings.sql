-- tables: ledger.reprocessed, ledger.batches, ledger.validation_results, ledger.places, ledger.line_shifts, ledger.purges, quarantine.held_rows,
--         ledger.same_records, {states}
-- grain: of each delivery in changed_readings a new reading; the one before stays as it was, and is replaced from now on
-- inputs: changed_readings, again_states, again_held, again_same, again_batches, again_results
-- parameters: none
INSERT INTO ledger.reprocessed SELECT run_id, batch_id, first_batch_id, cause FROM changed_readings;
-- one that was purged since stands with the counts that it had
INSERT INTO ledger.batches BY NAME
SELECT old.* REPLACE (
  changed.batch_id AS batch_id, changed.run_id AS run_id, coalesce(again.accepted, old.accepted) AS accepted,
  coalesce(again.quarantined, old.quarantined) AS quarantined, coalesce(again.duplicate, old.duplicate) AS duplicate
)
FROM changed_readings AS changed
JOIN ledger.batches AS old ON old.batch_id = changed.old_batch_id
LEFT JOIN again_batches AS again ON again.batch_id = changed.first_batch_id;
INSERT INTO ledger.validation_results BY NAME
SELECT again.* REPLACE (changed.batch_id AS batch_id)
FROM changed_readings AS changed JOIN again_results AS again ON again.batch_id = changed.first_batch_id;
INSERT INTO ledger.validation_results BY NAME
SELECT old.* REPLACE (changed.batch_id AS batch_id)
FROM changed_readings AS changed
JOIN ledger.validation_results AS old ON old.batch_id = changed.old_batch_id
WHERE changed.first_batch_id NOT IN (SELECT batch_id FROM again_batches);
INSERT INTO ledger.places BY NAME
SELECT old.* REPLACE (changed.batch_id AS batch_id)
FROM changed_readings AS changed JOIN ledger.places AS old ON old.batch_id = changed.old_batch_id;
INSERT INTO ledger.line_shifts BY NAME
SELECT old.* REPLACE (changed.batch_id AS batch_id)
FROM changed_readings AS changed JOIN ledger.line_shifts AS old ON old.batch_id = changed.old_batch_id;
INSERT INTO ledger.purges BY NAME
SELECT old.* REPLACE (changed.batch_id AS batch_id, changed.run_id AS run_id)
FROM changed_readings AS changed JOIN ledger.purges AS old ON old.batch_id = changed.old_batch_id;
UPDATE {states} AS states SET replaced_by_batch_id = changed.batch_id
FROM changed_readings AS changed WHERE states.batch_id = changed.old_batch_id AND states.replaced_by_batch_id IS NULL;
INSERT INTO {states} BY NAME
SELECT again.* REPLACE (changed.batch_id AS batch_id, replacing.batch_id AS replaced_by_batch_id)
FROM changed_readings AS changed
JOIN again_states AS again ON again.batch_id = changed.first_batch_id
LEFT JOIN ledger.readings AS replacing ON replacing.first_batch_id = again.replaced_by_batch_id;
UPDATE quarantine.held_rows AS held SET closed_by_batch_id = changed.batch_id
FROM changed_readings AS changed WHERE held.batch_id = changed.old_batch_id AND held.closed_by_batch_id IS NULL;
INSERT INTO quarantine.held_rows BY NAME
SELECT again.* REPLACE (changed.batch_id AS batch_id, closing.batch_id AS closed_by_batch_id)
FROM changed_readings AS changed
JOIN again_held AS again ON again.batch_id = changed.first_batch_id
LEFT JOIN ledger.readings AS closing ON closing.first_batch_id = again.closed_by_batch_id;
INSERT INTO ledger.same_records BY NAME
SELECT again.* REPLACE (changed.batch_id AS batch_id, greatest(noting.batch_id, changed.batch_id) AS known_batch)
FROM changed_readings AS changed
JOIN again_same AS again ON again.batch_id = changed.first_batch_id
JOIN ledger.readings AS noting ON noting.first_batch_id = again.known_batch;
