-- table: explained_proposals (temporary)
-- inputs: service_records
-- grain: one proposal of the group, in its role for one measure
-- parameters: $breakdown, $group_name, and those of the measure; what stands in braces is of the measure and of the breakdowns
SELECT record_key,
  CASE WHEN reason IS NOT NULL THEN 'excluded' WHEN {counted} THEN 'numerator' WHEN {of} THEN 'denominator' END AS role,
  reason, decision_days
FROM service_records
WHERE {is_in_group}
ORDER BY record_key
