-- indicator: IKU-02 agencies that measured their professionalism index
-- grain: one agency of the region and year
-- inputs: states.ip_asn_measurement, quarantine.open_rows, reference.agencies
-- parameters: $first_year, $last_year, $clock, $known_batch (common)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH measured AS (
  SELECT DISTINCT year, agency_code
  FROM states.ip_asn_measurement
  WHERE year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND measured_date <= CAST($clock AS DATE)
), held AS (
  SELECT DISTINCT year, split_part(record_key, '|', 1) AS agency_code
  FROM quarantine.open_rows
  WHERE source = 'ip_asn_measurement' AND year BETWEEN $first_year AND $last_year AND record_key IS NOT NULL
), years AS (
  SELECT DISTINCT year FROM measured
), region AS (
  SELECT years.year, agencies.agency_code, measured.agency_code IS NOT NULL AS is_measured
  FROM years
  CROSS JOIN reference.agencies AS agencies
  LEFT JOIN measured ON measured.year = years.year AND measured.agency_code = agencies.agency_code
)
SELECT
  CAST(region.year AS VARCHAR) AS period,
  region.agency_code AS record_key,
  CASE WHEN is_measured THEN 'numerator' ELSE 'denominator' END AS role,
  CASE WHEN NOT is_measured THEN 'not_measured' END AS reason,
  CAST([] AS VARCHAR[]) AS path,
  CAST(is_measured AS INTEGER) AS amount,
  -- a quarantined row beside an accepted one cannot undo that the agency measured
  held.agency_code IS NOT NULL AND NOT is_measured AS is_contested,
  CASE WHEN NOT is_measured THEN 'incomplete' END AS flag
FROM region
LEFT JOIN held ON held.year = region.year AND held.agency_code = region.agency_code
