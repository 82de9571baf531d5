-- reads: states.performance_agreement
-- grain: one year of one indicator
-- parameters: $indicator, $known_batch
SELECT year, target
FROM states.performance_agreement
WHERE indicator_id = $indicator
  AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
