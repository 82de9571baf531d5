-- CTE service_states: the states of the promotion proposals that may belong to these years
-- grain: one state of one proposal
-- inputs: states.promotion, ledger.same_records
-- parameters: $first_year, $last_year, $clock, $known_batch, $highest_grade_code
SELECT record_key, state_at, received_at, status_code, returned_count, agency_code, office_code,
  CAST(promotion_type_code AS VARCHAR) AS type_code, CAST(NULL AS VARCHAR) AS kind_code, period_date,
  year(period_date) AS own_year, new_grade_code > $highest_grade_code AS is_other_authority,
  -- it came without an id, and with one too: the one with an id counts, from the delivery on that made both known (ruling 40)
  record_key IN (
    SELECT noted.same_key
    FROM ledger.same_records AS noted
    JOIN states.promotion AS by_id ON by_id.batch_id = noted.batch_id AND by_id.row_number = noted.row_number
    WHERE noted.source = 'promotion' AND noted.known_batch <= $known_batch AND by_id.state_at <= $clock
      AND row_is_known(by_id.batch_id, by_id.replaced_by_batch_id, $known_batch)
  ) AS is_same_proposal
FROM states.promotion
WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  AND state_at <= $clock
  AND record_key IN (SELECT record_key FROM states.promotion WHERE year(period_date) BETWEEN $first_year AND $last_year)
