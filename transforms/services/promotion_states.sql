-- CTE service_states: the states of the promotion proposals that may belong to the year
-- grain: one state of one proposal
-- inputs: states.promotion
-- parameters: $year, $clock, $known_batch, $highest_grade_code
SELECT record_key, state_at, received_at, status_code, returned_count, agency_code, office_code, CAST(promotion_type_code AS VARCHAR) AS type_code, CAST(NULL AS VARCHAR) AS kind_code,
  period_date,
  year(period_date) AS own_year, new_grade_code > $highest_grade_code AS is_other_authority
FROM states.promotion
WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  AND state_at <= $clock
  AND record_key IN (SELECT record_key FROM states.promotion WHERE year(period_date) = $year)
