-- reads: states.published_value
-- grain: one printed reading of one item of an office
-- parameters: $office, $indicator, $measure, $known_batch
SELECT year, record_key, printed_value, printed_decimals
FROM states.published_value
WHERE office_code = $office AND item_code = $indicator AND measure_code = $measure
  AND batch_id <= $known_batch AND (replaced_by_batch_id IS NULL OR replaced_by_batch_id > $known_batch)
ORDER BY record_key
