-- table: service_summary
-- grain: one service, year, breakdown, group and office
-- inputs: facts.service_summary
SELECT service, year, breakdown, group_name, office, definition_version, cut_off, received_count, ms_count, bts_count, tms_count,
  in_process_count, completion_percent, approval_percent, ever_returned_count, decided_count, two_day_percent, median_days,
  p90_days, excluded, completion_band_low, completion_band_high, is_provisional, evidence_hash, known_from, run
FROM facts.service_summary
WHERE known_to IS NULL
