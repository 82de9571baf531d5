-- table: ledger.validation_results
-- grain: one delivery and rule of the group that was validated
-- parameters: $batch_ids; by position the same length: $counted_batches, $counted_rules, $counts (those above none)
-- inputs: none
UPDATE ledger.validation_results AS results
SET validator_rows_failed = coalesce((
  SELECT counted.rows_failed
  FROM (
    SELECT unnest($counted_batches::INTEGER[]) AS batch_id, unnest($counted_rules::VARCHAR[]) AS rule, unnest($counts::BIGINT[]) AS rows_failed
  ) AS counted
  WHERE counted.batch_id = results.batch_id AND counted.rule = results.rule
), 0)
WHERE list_contains($batch_ids::INTEGER[], results.batch_id);
