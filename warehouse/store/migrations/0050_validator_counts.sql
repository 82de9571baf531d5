-- What the validator counted stands beside what we held, and by which judgement: 'native' and 'row query' are opinions formed apart.
-- Of a delivery that was taken in before, its count was compared over the deliveries of its group and not kept (NULL).
ALTER TABLE ledger.validation_results ADD COLUMN judged_by VARCHAR;
ALTER TABLE ledger.validation_results ADD COLUMN validator_rows_failed BIGINT;
