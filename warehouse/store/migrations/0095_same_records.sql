-- table: ledger.same_records
-- grain: one accepted state that came with its key (the row row_number of the delivery batch_id) and is of a record that also came in a
--        layout without one, under same_key; noted by the delivery known_batch, the later of the two, and so known from then on.
-- A state that a correction has replaced counts here no more than elsewhere: readers join the states.
CREATE TABLE ledger.same_records (source VARCHAR, batch_id INTEGER, row_number BIGINT, same_key VARCHAR, known_batch INTEGER);
