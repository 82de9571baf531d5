-- reads: states.published_value
-- grain: one printed reading of one item of an office
-- parameters: $items (NULL: all), $measures, $known_batch
SELECT office_code, item_code, measure_code, year, record_key, printed_value, printed_decimals
FROM states.published_value
WHERE coalesce(list_contains($items, item_code), true) AND list_contains($measures, measure_code)
  AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
ORDER BY record_key
