-- records of: budget_revisions
-- grain: one revision, by the key of its rows
-- inputs: states.budget
-- parameters: $year, $budget_code, $revision_number, $cut_off, $known_batch
SELECT 'budget' AS source, record_key, 'denominator' AS role, NULL AS reason, CAST(max_by(allocated_rupiah, data_date) AS VARCHAR) AS amount
FROM states.budget
WHERE year = $year AND budget_code = $budget_code AND revision_number = $revision_number AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  AND data_date <= CAST($cut_off AS DATE)
GROUP BY record_key
