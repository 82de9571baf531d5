-- indicator: IKU-07 digital services
-- grain: one service and year
-- inputs: states.digital_service, quarantine.open_rows
-- parameters: $first_year, $last_year, $known_batch (common); $service_count (version)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH accepted AS (
  SELECT year, service_number, is_digital
  FROM states.digital_service
  WHERE year BETWEEN $first_year AND $last_year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
), held AS (
  SELECT DISTINCT year, TRY_CAST(split_part(record_key, '|', 2) AS BIGINT) AS service_number
  FROM quarantine.open_rows
  WHERE source = 'digital_service' AND year BETWEEN $first_year AND $last_year AND record_key IS NOT NULL
), years AS (
  SELECT DISTINCT year FROM accepted
), numbers AS (
  SELECT unnest(generate_series(1, $service_count)) AS service_number
), services AS (
  SELECT years.year, numbers.service_number, accepted.is_digital
  FROM years
  CROSS JOIN numbers
  LEFT JOIN accepted ON accepted.year = years.year AND accepted.service_number = numbers.service_number
)
SELECT
  CAST(services.year AS VARCHAR) AS period,
  CAST(services.service_number AS VARCHAR) AS record_key,
  CASE WHEN is_digital THEN 'numerator' ELSE 'denominator' END AS role,
  CASE WHEN is_digital IS NULL THEN 'no_row' WHEN NOT is_digital THEN 'not_digital' END AS reason,
  CAST([] AS VARCHAR[]) AS path,
  CAST(coalesce(is_digital, false) AS INTEGER) AS amount,
  held.service_number IS NOT NULL AS is_contested,
  CASE WHEN is_digital IS NULL THEN 'incomplete' END AS flag
FROM services
LEFT JOIN held ON held.year = services.year AND held.service_number = services.service_number
