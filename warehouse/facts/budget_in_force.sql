-- reads: states.budget
-- grain: one indicator or program of the year
-- The highest revision decided at or before the cut-off, in its newest data at or before the cut-off. A revision that has
-- data only later leaves the place to the next lower one (ruling 27): its rows are not there yet.
-- parameters: $year, $cut_off, $known_batch
SELECT budget_code, revision_number, allocated_rupiah, spent_rupiah
FROM states.budget
WHERE year = $year
  AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
  AND revision_date <= CAST($cut_off AS DATE)
  AND data_date <= CAST($cut_off AS DATE)
QUALIFY row_number() OVER (PARTITION BY budget_code ORDER BY revision_number DESC, data_date DESC) = 1
ORDER BY budget_code
