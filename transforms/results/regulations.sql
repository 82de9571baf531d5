-- table: regulations
-- grain: one draft of a regulation that was proposed by the year's cut-off
-- inputs: evidence (of the indicator that counts drafts), states.regulation
-- parameters: $clock, $cut_off, $known_batch
WITH states AS (
  SELECT record_key, title, proposed_date, regulation_number, issued_date, state_date
  FROM states.regulation
  WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND state_date <= CAST($clock AS DATE)
), at_cut_off AS (
  -- the newest state at the cut-off; without one, the earliest later one says what was proposed
  SELECT record_key, title, proposed_date, regulation_number, issued_date
  FROM states
  QUALIFY row_number() OVER (
    PARTITION BY record_key
    ORDER BY state_date > CAST($cut_off AS DATE), CASE WHEN state_date <= CAST($cut_off AS DATE) THEN state_date END DESC, state_date
  ) = 1
)
SELECT evidence.record_key AS draft_id, title, proposed_date, evidence.role = 'numerator' AS is_issued,
  CASE WHEN evidence.role = 'numerator' THEN regulation_number END AS regulation_number,
  CASE WHEN evidence.role = 'numerator' THEN issued_date END AS issued_date
FROM evidence
JOIN at_cut_off ON at_cut_off.record_key = evidence.record_key
WHERE evidence.role IN ('numerator', 'denominator')
