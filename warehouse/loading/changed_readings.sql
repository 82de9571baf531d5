-- table: changed_readings (temporary)
-- grain: one delivery of which a state or a quarantined row came out otherwise: as which it was first taken in, its newest reading, and the new one
-- inputs: known_states, known_held, known_same; again_states, again_held, again_same (the same, as judged again), ledger.readings
-- parameters: $run_id, $cause
CREATE OR REPLACE TEMP TABLE changed_readings AS
WITH known AS (
  SELECT batch_id, count(*) AS states, bit_xor(md5_number(CAST(entry AS VARCHAR))) AS digest FROM known_states AS entry GROUP BY batch_id
), again AS (
  SELECT batch_id, count(*) AS states, bit_xor(md5_number(CAST(entry AS VARCHAR))) AS digest FROM again_states AS entry GROUP BY batch_id
), changed AS (
  SELECT coalesce(known.batch_id, again.batch_id) AS first_batch_id
  FROM known FULL JOIN again ON again.batch_id = known.batch_id
  WHERE known.states IS DISTINCT FROM again.states OR known.digest IS DISTINCT FROM again.digest
  UNION
  SELECT coalesce(known.batch_id, again.batch_id)
  FROM known_held AS known
  FULL JOIN again_held AS again ON again.batch_id = known.batch_id AND again.row_number = known.row_number
  WHERE known.reasons IS DISTINCT FROM again.reasons OR known.record_key IS DISTINCT FROM again.record_key
    OR known.year IS DISTINCT FROM again.year OR known.part IS DISTINCT FROM again.part
    OR known.closed_by_batch_id IS DISTINCT FROM again.closed_by_batch_id
    -- not noted of a row that was held before there was room for it
    OR (known.state_at IS NOT NULL AND known.state_at IS DISTINCT FROM again.state_at)
    OR (known.categories IS NOT NULL AND known.categories IS DISTINCT FROM again.categories)
  UNION
  SELECT batch_id FROM (
    (FROM known_same EXCEPT FROM again_same) UNION ALL (FROM again_same EXCEPT FROM known_same)
  )
)
SELECT first_batch_id, readings.batch_id AS old_batch_id,
  (SELECT max(batch_id) FROM ledger.batches) + row_number() OVER (ORDER BY first_batch_id) AS batch_id,
  CAST($run_id AS INTEGER) AS run_id, $cause AS cause
FROM changed
JOIN ledger.readings AS readings USING (first_batch_id)
