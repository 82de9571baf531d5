-- table: service_backlog
-- grain: one service and day of the year up to its cut-off, from the first day on which a proposal had come
-- inputs: proposals (of the services, of all years up to the next one: a promotion may be received in the year before its TMT), working_days
-- parameters: $year, $cut_off; $two_day_limit_days
WITH whole_days AS (
  -- a day that still runs has no end yet
  SELECT make_date($year, 1, 1) AS first_day, CAST(CAST($cut_off AS TIMESTAMP) + INTERVAL 1 MICROSECOND AS DATE) - 1 AS last_day
), waits AS (
  -- proposals that wait alike; those decided before the year began wait on none of its days
  SELECT service, CAST(received_at AS DATE) AS received_date,
    -- a decision that is dated before the receipt counts on its day
    CAST(CASE WHEN first_decision_at IS NOT NULL THEN greatest(first_decision_at, received_at) END AS DATE) AS decided_date,
    count(*) AS proposals
  FROM proposals
  WHERE reason IS NULL AND coalesce(first_decision_at >= make_date($year, 1, 1), true)
  GROUP BY ALL
), days AS (
  SELECT service, CAST(unnest(generate_series(
      greatest(min(received_date), first_day), last_day, INTERVAL 1 DAY
    )) AS DATE) AS day
  FROM waits
  CROSS JOIN whole_days
  GROUP BY service, first_day, last_day
), open_days AS (
  -- open at the end of a day: received by then, and not decided by then
  SELECT service, received_date, proposals, CAST(unnest(generate_series(
      greatest(received_date, first_day), least(coalesce(decided_date - 1, last_day), last_day), INTERVAL 1 DAY
    )) AS DATE) AS day
  FROM waits
  CROSS JOIN whole_days
), queues AS (
  SELECT open_days.service, open_days.day, sum(proposals) AS open_count, min(received_date) AS oldest_received_date,
    max(today.working_day_number - receipt.working_day_number) AS oldest_age_days,
    sum(proposals) FILTER (today.working_day_number - receipt.working_day_number > $two_day_limit_days) AS late_count
  FROM open_days
  JOIN working_days AS receipt ON receipt.calendar_date = received_date
  JOIN working_days AS today ON today.calendar_date = open_days.day
  GROUP BY open_days.service, open_days.day
), received AS (
  SELECT service, received_date AS day, sum(proposals) AS day_received FROM waits GROUP BY service, received_date
), decided AS (
  SELECT service, decided_date AS day, sum(proposals) AS day_decided FROM waits WHERE decided_date IS NOT NULL GROUP BY service, decided_date
)
SELECT days.service, days.day, CAST(coalesce(day_received, 0) AS BIGINT) AS newly_received_count,
  CAST(coalesce(day_decided, 0) AS BIGINT) AS newly_decided_count, CAST(coalesce(open_count, 0) AS BIGINT) AS open_count,
  CAST(coalesce(late_count, 0) AS BIGINT) AS late_count, oldest_received_date, CAST(oldest_age_days AS INTEGER) AS oldest_age_days
FROM days
LEFT JOIN received ON received.service = days.service AND received.day = days.day
LEFT JOIN decided ON decided.service = days.service AND decided.day = days.day
LEFT JOIN queues ON queues.service = days.service AND queues.day = days.day
