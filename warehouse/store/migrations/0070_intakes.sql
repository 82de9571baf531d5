-- writes: ledger.intakes, ledger.reprocessed, ledger.readings
-- grain: see each

--- one row a delivery and run that judged it: fingerprints of the contract, and of the code and reference data, by which its rows were judged.
--- The newest counts; a delivery of before this was noted has none
CREATE TABLE ledger.intakes (run_id INTEGER, batch_id INTEGER, contract_digest VARCHAR, code_digest VARCHAR);
--- one row a delivery that was judged again and came out otherwise: entered anew as batch_id, beside first_batch_id as which it was first
--- taken in. cause: definition (its contract is another), code
CREATE TABLE ledger.reprocessed (run_id INTEGER, batch_id INTEGER, first_batch_id INTEGER, cause VARCHAR);

--- one row a delivery: as which it was first taken in, and its newest reading, which is the same where nothing came out otherwise
CREATE VIEW ledger.readings AS
SELECT first_batch_id, max(batch_id) AS batch_id
FROM (
  SELECT coalesce(reprocessed.first_batch_id, batches.batch_id) AS first_batch_id, batches.batch_id
  FROM ledger.batches AS batches
  LEFT JOIN ledger.reprocessed AS reprocessed ON reprocessed.batch_id = batches.batch_id
)
GROUP BY first_batch_id;
