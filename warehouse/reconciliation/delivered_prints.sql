-- reads: states.published_value, ledger.batches
-- grain: one number that an office has printed in one place, as delivered
-- parameters: $known_batch
SELECT office_code || '|' || item_code || '|' || year || '|' || measure_code AS item, printed_value, printed_decimals, printed_in,
  batches.file, printed.batch_id, row_number
FROM states.published_value AS printed
LEFT JOIN ledger.batches AS batches ON batches.batch_id = printed.batch_id
WHERE row_is_known(printed.batch_id, replaced_by_batch_id, $known_batch)
ORDER BY item, printed_in
