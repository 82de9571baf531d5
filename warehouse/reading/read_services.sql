-- reads: service_summary_history (published)
-- grain: one service and group of a year, the version known at $clock (NULL: now)
-- parameters: $year, $breakdown, $clock; {measures}: those that are listed, by their names
SELECT service, year, group_name AS "group", {measures},
  is_provisional AS provisional, excluded, known_from
FROM service_summary_history
WHERE version_is_known(known_from, known_to, $clock)
  AND year = $year AND breakdown = $breakdown
ORDER BY CASE service WHEN 'promotion' THEN 1 WHEN 'nip' THEN 2 ELSE 3 END, group_name = 'vertical', group_name
