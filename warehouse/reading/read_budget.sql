-- reads: budget_revisions_history (published)
-- grain: one indicator or program and revision, the version known at $clock (NULL: now)
-- parameters: $year, $clock
SELECT budget_code AS code, revision_number AS revision, revision_date AS decided, data_date AS data_of, allocated_rupiah AS allocated,
  spent_rupiah AS spent, in_force_from, in_force_to, is_in_force AS in_force, is_provisional AS provisional, known_from
FROM budget_revisions_history
WHERE version_is_known(known_from, known_to, $clock) AND year = $year
ORDER BY starts_with(budget_code, 'IKU-'), budget_code, revision_number
