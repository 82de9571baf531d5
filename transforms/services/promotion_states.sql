-- CTE service_states: the states of the promotion proposals that may belong to these years
-- grain: one state of one proposal
-- inputs: states.promotion
-- parameters: $first_year, $last_year, $clock, $known_batch, $highest_grade_code
SELECT record_key, state_at, received_at, status_code, returned_count, agency_code, office_code, period_date,
  year(period_date) AS own_year, new_grade_code > $highest_grade_code AS is_other_authority
FROM states.promotion
WHERE batch_id <= $known_batch AND (replaced_by_batch_id IS NULL OR replaced_by_batch_id > $known_batch)
  AND state_at <= $clock
  AND record_key IN (SELECT record_key FROM states.promotion WHERE year(period_date) BETWEEN $first_year AND $last_year)
