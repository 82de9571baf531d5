-- table: budget_revisions
-- grain: one indicator or program and revision of its budget that was decided by the year's cut-off
-- inputs: states.budget
-- parameters: $year, $cut_off, $known_batch
WITH known AS (
  SELECT budget_code, revision_number, revision_date, data_date, allocated_rupiah, spent_rupiah
  FROM states.budget
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND revision_date <= CAST($cut_off AS DATE)
    AND data_date <= CAST($cut_off AS DATE)
), revisions AS (
  -- what a revision is worth its newest data say; it is in force once it is decided and has data (ruling 27)
  SELECT budget_code, revision_number, max_by(revision_date, data_date) AS revision_date, max(data_date) AS data_date,
    max_by(allocated_rupiah, data_date) AS allocated_rupiah, max_by(spent_rupiah, data_date) AS spent_rupiah,
    min(greatest(revision_date, data_date)) AS begins
  FROM known
  GROUP BY budget_code, revision_number
), followed AS (
  SELECT budget_code, revision_number, revision_date, data_date, allocated_rupiah, spent_rupiah, begins,
    min(begins) OVER (PARTITION BY budget_code ORDER BY revision_number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_begins
  FROM revisions
)
SELECT budget_code, CAST(revision_number AS INTEGER) AS revision_number, revision_date, data_date, allocated_rupiah, spent_rupiah,
  -- a revision whose successor was in force before it never was
  CASE WHEN next_begins IS NULL OR begins < next_begins THEN begins END AS in_force_from,
  CASE WHEN begins < next_begins THEN next_begins - 1 END AS in_force_to,
  next_begins IS NULL AS is_in_force
FROM followed
