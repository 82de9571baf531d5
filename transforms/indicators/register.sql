-- evidence: of a register of what was opened in a year, what was done of it by the cut-off
-- grain: one entry and year
-- inputs: states.regulation, states.supervision_recommendation, states.audit_finding, quarantine.open_rows
-- parameters: $first_year, $last_year, $clock, $known_batch (common); $register (the source), $opened_later, $not_done (the reasons)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH registers AS (
  SELECT 'regulation' AS register, record_key, year, proposed_date AS opened_date, issued_date AS done_date, state_date,
    batch_id, replaced_by_batch_id
  FROM states.regulation
  UNION ALL
  SELECT 'supervision_recommendation', record_key, year, recommended_date, followed_up_date, state_date, batch_id, replaced_by_batch_id
  FROM states.supervision_recommendation
  UNION ALL
  SELECT 'audit_finding', record_key, year, found_date, closed_date, state_date, batch_id, replaced_by_batch_id
  FROM states.audit_finding
), accepted AS (
  SELECT record_key, year, opened_date, done_date, state_date
  FROM registers
  WHERE register = $register
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND state_date <= CAST($clock AS DATE)
), candidates AS (
  SELECT DISTINCT record_key, year AS own_year, least(make_date(year, 12, 31), CAST($clock AS DATE)) AS cut_off_date
  FROM accepted
  WHERE year BETWEEN $first_year AND $last_year
), at_cut_off AS (
  -- the newest state at the year's cut-off; without one, the earliest later state says when it was opened
  SELECT record_key, own_year, cut_off_date, accepted.year, opened_date, done_date
  FROM candidates
  JOIN accepted USING (record_key)
  QUALIFY row_number() OVER (
    PARTITION BY record_key, own_year
    ORDER BY state_date > cut_off_date, CASE WHEN state_date <= cut_off_date THEN state_date END DESC, state_date
  ) = 1
), of_year AS (
  SELECT record_key, own_year, opened_date > cut_off_date AS is_later, coalesce(done_date <= cut_off_date, false) AS is_done
  FROM at_cut_off
  WHERE year = own_year
), held AS (
  SELECT DISTINCT year AS own_year, record_key
  FROM quarantine.open_rows
  WHERE source = $register AND year BETWEEN $first_year AND $last_year AND record_key IS NOT NULL
)
SELECT
  CAST(own_year AS VARCHAR) AS period,
  record_key,
  CASE WHEN is_later THEN 'excluded' WHEN is_done THEN 'numerator' ELSE 'denominator' END AS role,
  CASE WHEN is_later THEN $opened_later WHEN NOT is_done THEN $not_done END AS reason,
  CAST([] AS VARCHAR[]) AS path,
  CAST(is_done AS INTEGER) AS amount,
  held.record_key IS NOT NULL AS is_contested,
  NULL AS flag
FROM of_year
LEFT JOIN held USING (own_year, record_key)
UNION ALL
SELECT CAST(own_year AS VARCHAR), record_key, 'held', NULL, CAST([] AS VARCHAR[]), NULL, false, NULL
FROM held
ANTI JOIN of_year USING (own_year, record_key)
