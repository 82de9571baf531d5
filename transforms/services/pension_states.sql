-- CTE service_states: the states of the pension proposals that were received in these years
-- grain: one state of one proposal
-- inputs: states.pension
-- parameters: $first_year, $last_year, $clock, $known_batch, $highest_grade_code (unused: every grade is this office's authority)
SELECT record_key, state_at, received_at, status_code, returned_count, agency_code, office_code,
  CAST(NULL AS VARCHAR) AS type_code, CAST(NULL AS VARCHAR) AS kind_code,
  CAST(NULL AS DATE) AS period_date, year(min(received_at) OVER (PARTITION BY record_key)) AS own_year,
  $highest_grade_code IS NULL AS is_other_authority, false AS is_same_proposal
FROM states.pension
WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  AND state_at <= $clock
  AND record_key IN (SELECT record_key FROM states.pension WHERE year(received_at) BETWEEN $first_year AND $last_year)
QUALIFY own_year BETWEEN $first_year AND $last_year
