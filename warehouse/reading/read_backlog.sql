-- reads: service_backlog_history (published)
-- grain: one service and day, week (from Monday) or month, the version known at $clock (NULL: now): what came and was decided in it, and its last day
-- parameters: $service, $year (NULL: the newest), $by (day, week, month), $clock
WITH known AS (
  SELECT year, day, newly_received_count, newly_decided_count, open_count, late_count, oldest_received_date, oldest_age_days, is_provisional,
    known_from
  FROM service_backlog_history
  WHERE version_is_known(known_from, known_to, $clock) AND service = $service
)
SELECT $service AS service, CAST(date_trunc($by, day) AS DATE) AS begins, max(day) AS ends,
  CAST(sum(newly_received_count) AS BIGINT) AS received, CAST(sum(newly_decided_count) AS BIGINT) AS decided, max_by(open_count, day) AS "open",
  max_by(late_count, day) AS late,
  -- an aggregate by day passes a NULL over; a struct is none
  max_by(struct_pack(found := oldest_received_date), day).found AS oldest, max_by(struct_pack(found := oldest_age_days), day).found AS age_days,
  bool_or(is_provisional) AS provisional, max(known_from) AS known_from
FROM known
WHERE year = coalesce($year, (SELECT max(year) FROM known))
GROUP BY begins
ORDER BY begins
