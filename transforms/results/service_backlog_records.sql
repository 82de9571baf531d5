-- records of: service_backlog
-- grain: one proposal that was received or decided on the day, or open at its end
-- inputs: proposals
-- parameters: $service, $day
WITH dated AS (
  SELECT service, record_key, CAST(received_at AS DATE) AS received_date,
    CAST(CASE WHEN first_decision_at IS NOT NULL THEN greatest(first_decision_at, received_at) END AS DATE) AS decided_date
  FROM proposals
  WHERE reason IS NULL AND service = $service
), roles AS (
  SELECT service, record_key, received_date, 'open' AS role FROM dated WHERE received_date <= $day AND coalesce(decided_date > $day, true)
  UNION ALL
  SELECT service, record_key, received_date, 'received' FROM dated WHERE received_date = $day
  UNION ALL
  SELECT service, record_key, received_date, 'decided' FROM dated WHERE decided_date = $day
)
SELECT service AS source, record_key, role, NULL AS reason, CAST(received_date AS VARCHAR) AS amount FROM roles
