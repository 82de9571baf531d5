-- table: explained_proposals (temporary)
-- inputs: service_records
-- grain: one proposal of the group, in its role for one measure
-- parameters: $breakdown, $group_name; {numerator} and {denominator} are the conditions of the measure
SELECT record_key,
  CASE WHEN reason IS NOT NULL THEN 'excluded' WHEN {numerator} THEN 'numerator' WHEN {denominator} THEN 'denominator' END AS role,
  reason, decision_days
FROM service_records
WHERE CASE $breakdown
    WHEN 'year' THEN true
    WHEN 'region' THEN region = $group_name
    WHEN 'agency' THEN agency_code = $group_name
    WHEN 'period' THEN CAST(period_date AS VARCHAR) = $group_name
  END
ORDER BY record_key
