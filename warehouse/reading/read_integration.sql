-- reads: integration_channels_history (published)
-- grain: one quarter, channel and history type, the version known at $clock (NULL: now)
-- parameters: $year, $history_type (NULL: all), $clock
SELECT period, channel, history_type AS history, agency_count AS agencies, integrated_count AS integrated, share_percent AS share,
  letter_number AS letter, letter_date, is_newest_quarter AS gives_the_year, is_provisional AS provisional, known_from
FROM integration_channels_history
WHERE version_is_known(known_from, known_to, $clock)
  AND year = $year AND coalesce(history_type = $history_type, true)
ORDER BY history_type, period, channel DESC
