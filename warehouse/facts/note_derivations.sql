-- table: ledger.derivations
-- grain: one partition that this run entered, or tried for a closed year
-- inputs: settled_frame (the partitions)
-- parameters: $run_id, $are_entered
INSERT INTO ledger.derivations BY NAME
SELECT $run_id AS run_id, item, year, CASE WHEN $are_entered THEN 'entered' ELSE 'pending' END AS state, why AS cause, rows_read
FROM settled_frame
