-- reads: agency_results_history, agencies (published)
-- grain: one agency in one period of an indicator, the version known at $clock (NULL: now)
-- parameters: $indicator, $period (NULL: its newest), $clock
WITH known AS (
  SELECT agency_code, period, is_in_numerator, missing_reason, agency_score, nspk_grade, counted_channel, numerator_count, record_count,
    is_provisional, known_from
  FROM agency_results_history
  WHERE version_is_known(known_from, known_to, $clock) AND indicator = $indicator
)
SELECT $indicator AS indicator, period, known.agency_code AS agency, agency_name AS name, province, is_in_numerator AS counts, missing_reason AS reason,
  agency_score AS score, nspk_grade AS grade, counted_channel AS channel, numerator_count AS numerator, record_count AS records,
  is_provisional AS provisional, known_from
FROM known
LEFT JOIN agencies ON agencies.agency_code = known.agency_code
WHERE period = coalesce($period, (SELECT max(period) FROM known))
ORDER BY is_in_numerator, known.agency_code
