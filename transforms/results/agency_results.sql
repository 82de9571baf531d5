-- table: agency_results
-- grain: one agency of the region, indicator and period of its evidence
-- inputs: evidence, states.nspk_assessment, states.ip_asn_measurement, states.supervision_recommendation, reference.nspk_grades
-- parameters: $year, $clock, $known_batch
WITH assessed AS (
  SELECT agency_code, score
  FROM states.nspk_assessment
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND assessed_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY agency_code ORDER BY assessed_date DESC) = 1
), measured AS (
  SELECT agency_code, score
  FROM states.ip_asn_measurement
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND measured_date <= CAST($clock AS DATE)
  QUALIFY row_number() OVER (PARTITION BY agency_code ORDER BY measured_date DESC) = 1
), recommended AS (
  SELECT record_key, max_by(agency_code, state_date) AS agency_code
  FROM states.supervision_recommendation
  WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND state_date <= CAST($clock AS DATE)
  GROUP BY record_key
), records AS (
  -- the record of an indicator that counts agencies is the agency itself
  SELECT evidence.label, evidence.indicator, evidence.period, coalesce(recommended.agency_code, evidence.record_key) AS agency_code, role, reason, path
  FROM evidence
  LEFT JOIN recommended ON evidence.label = 'recommendations' AND recommended.record_key = evidence.record_key
), counted AS (
  SELECT label, indicator, period, agency_code, any_value(path[1]) AS channel,
    count(*) FILTER (role IN ('numerator', 'denominator')) AS record_count, count(*) FILTER (role = 'numerator') AS numerator_count,
    -- of the evidence that gives no reason of its own: what its denominator alone means
    min(CASE WHEN role <> 'numerator' THEN coalesce(reason, 'not_integrated') END) AS reason
  FROM records
  GROUP BY label, indicator, period, agency_code
)
SELECT indicator, period, counted.agency_code, numerator_count > 0 AND numerator_count = record_count AS is_in_numerator, reason AS missing_reason,
  coalesce(assessed.score, measured.score) AS agency_score, nspk_grades.grade AS nspk_grade, channel AS counted_channel,
  numerator_count, record_count
FROM counted
LEFT JOIN assessed ON label = 'assessments' AND assessed.agency_code = counted.agency_code
LEFT JOIN measured ON label = 'measurements' AND measured.agency_code = counted.agency_code
-- the grades are stated with two decimals: the score is rounded half up first
LEFT JOIN reference.nspk_grades AS nspk_grades ON round(assessed.score, 2) BETWEEN nspk_grades.lowest_score AND nspk_grades.highest_score
