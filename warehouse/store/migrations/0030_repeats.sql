-- tables: ledger.repeats
-- grain: one file of the inbox that was not taken in, since the delivery batch_id of the same source, standing and bytes was, under another
--        name; noted by the run that met it first. A correction that was a repeat then is none later, when what it repeats was replaced.
CREATE TABLE ledger.repeats (run_id INTEGER, source VARCHAR, file VARCHAR, sha256 VARCHAR, is_correction BOOLEAN, batch_id INTEGER);
