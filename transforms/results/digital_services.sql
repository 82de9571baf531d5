-- table: digital_services
-- grain: one of the office's services, from the year's first delivered row on
-- inputs: evidence (of the indicator that counts services), states.digital_service, reference.digital_service_names
-- parameters: $year, $known_batch
WITH delivered AS (
  SELECT service_number, service_name, is_digital, evidence AS basis
  FROM states.digital_service
  WHERE year = $year
    AND row_is_known(batch_id, replaced_by_batch_id, $known_batch)
), services AS (
  SELECT CAST(record_key AS INTEGER) AS service_number FROM evidence WHERE role IN ('numerator', 'denominator')
)
SELECT services.service_number, coalesce(names.name_id, delivered.service_name) AS service_name,
  names.scope, delivered.is_digital, delivered.basis
FROM services
LEFT JOIN delivered ON delivered.service_number = services.service_number
LEFT JOIN reference.digital_service_names AS names ON names.service_number = services.service_number
