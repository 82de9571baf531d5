-- reads: service_summary_history (published)
-- grain: one service and group of a year, the version known at $clock (NULL: now)
-- parameters: $year, $breakdown, $clock
SELECT service, year, group_name AS "group", received_count AS received, ms_count AS ms, bts_count AS bts, tms_count AS tms,
  in_process_count AS in_process, completion_percent AS completion, approval_percent AS approval,
  ever_returned_count AS ever_returned, two_day_percent AS two_day, median_days, p90_days,
  is_provisional AS provisional, excluded, known_from
FROM service_summary_history
WHERE version_is_known(known_from, known_to, $clock)
  AND year = $year AND breakdown = $breakdown
ORDER BY CASE service WHEN 'promotion' THEN 1 WHEN 'nip' THEN 2 ELSE 3 END, group_name = 'vertical', group_name
