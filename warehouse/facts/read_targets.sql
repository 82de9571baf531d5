-- reads: states.performance_agreement
-- grain: one year of one indicator
-- parameters: $indicator, $known_batch
SELECT year, target
FROM states.performance_agreement
WHERE indicator_id = $indicator
  AND batch_id <= $known_batch AND (replaced_by_batch_id IS NULL OR replaced_by_batch_id > $known_batch)
