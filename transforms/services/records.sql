-- table: service_records
-- grain: one proposal (id) of one service and these years, in its role at the cut-off
-- inputs: the states of the service (CTE service_states), reference.proposal_status, reference.agencies, working_days
-- parameters: $service, $first_year, $last_year, $cut_off, $clock, $known_batch, $office_code, $highest_grade_code
WITH service_states AS (
  {service_states}
), judged_states AS (
  SELECT record_key, state_at, received_at, returned_count,
    -- a row without a receipt of its own is not received, whatever its code says (ruling 8)
    CASE WHEN received_at IS NULL THEN 'NOT_RECEIVED' ELSE outcome END AS outcome,
    struct_pack(
      outcome := CASE WHEN received_at IS NULL THEN 'NOT_RECEIVED' ELSE outcome END,
      agency_code := agency_code, office_code := office_code, period_date := period_date, type_code := type_code, kind_code := kind_code,
      own_year := own_year, is_other_authority := is_other_authority, is_same_proposal := is_same_proposal
    ) AS state
  FROM service_states
  JOIN reference.proposal_status USING (status_code)
), proposals AS (
  SELECT record_key,
    min(received_at) AS received_at,
    arg_max(state, state_at) FILTER (state_at <= $cut_off) AS state_at_cut_off,
    arg_min(state, state_at) FILTER (state_at > $cut_off) AS earliest_later_state,
    min(state_at) FILTER (state_at <= $cut_off AND outcome IN ('MS', 'BTS', 'TMS')) AS first_decision_at,
    coalesce(bool_or(outcome = 'BTS' OR returned_count > 0) FILTER (state_at <= $cut_off), false) AS is_ever_returned
  FROM judged_states
  GROUP BY record_key
), placed AS (
  SELECT record_key, received_at, first_decision_at, is_ever_returned,
    state_at_cut_off IS NOT NULL AS has_state, state_at_cut_off.outcome AS outcome_at_cut_off,
    coalesce(state_at_cut_off, earliest_later_state) AS attributes
  FROM proposals
), classified AS (
  SELECT record_key, received_at, first_decision_at, is_ever_returned, attributes,
    CASE
      WHEN attributes.is_same_proposal THEN 'same_proposal'
      WHEN outcome_at_cut_off = 'NOT_RECEIVED' OR received_at IS NULL THEN 'not_received'
      WHEN outcome_at_cut_off = 'CANCELLED' THEN 'cancelled'
      WHEN received_at > $cut_off THEN 'received_after_cut_off'
      WHEN attributes.is_other_authority THEN 'other_authority'
      WHEN attributes.office_code <> $office_code THEN 'other_office'
    END AS reason,
    CASE WHEN has_state THEN outcome_at_cut_off ELSE 'IN_PROCESS' END AS outcome
  FROM placed
  WHERE attributes.own_year BETWEEN $first_year AND $last_year
)
SELECT
  $service AS service, CAST(attributes.own_year AS INTEGER) AS year, record_key,
  CASE WHEN reason IS NOT NULL THEN 'excluded' WHEN outcome = 'IN_PROCESS' THEN 'denominator' ELSE 'numerator' END AS role,
  reason,
  CASE WHEN reason IS NULL THEN outcome END AS outcome,
  attributes.agency_code AS agency_code,
  coalesce(agencies.province, 'vertical') AS region,
  attributes.period_date AS period_date, attributes.type_code AS type_code, attributes.kind_code AS kind_code, received_at,
  is_ever_returned,
  first_decision_at,
  CASE WHEN first_decision_at IS NOT NULL
    THEN greatest(decided.working_day_number - receipt.working_day_number, 0) END AS decision_days
FROM classified
LEFT JOIN reference.agencies AS agencies ON agencies.agency_code = attributes.agency_code
LEFT JOIN working_days AS receipt ON receipt.calendar_date = CAST(received_at AS DATE)
LEFT JOIN working_days AS decided ON decided.calendar_date = CAST(first_decision_at AS DATE)
