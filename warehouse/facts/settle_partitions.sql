-- table: ledger.partitions
-- grain: one item and year, as it was derived now; what its standing facts know moves on only where they were entered
-- inputs: settled_frame (the partitions)
-- parameters: $run_id, $are_entered
MERGE INTO ledger.partitions AS known
USING settled_frame AS settled ON known.item = settled.item AND known.year = settled.year
WHEN MATCHED THEN UPDATE SET
  definition_digest = settled.definition_digest, code_digest = settled.code_digest, source_state = settled.source_state,
  known_batch = settled.known_batch, settled_at = settled.settled_at, run_id = $run_id,
  entered_batch = CASE WHEN $are_entered THEN settled.known_batch ELSE known.entered_batch END
WHEN NOT MATCHED THEN INSERT (
  item, year, definition_digest, code_digest, source_state, known_batch, entered_batch, settled_at, run_id
) VALUES (
  settled.item, settled.year, settled.definition_digest, settled.code_digest, settled.source_state, settled.known_batch,
  CASE WHEN $are_entered THEN settled.known_batch ELSE 0 END, settled.settled_at, $run_id
)
