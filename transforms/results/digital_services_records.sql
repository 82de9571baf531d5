-- records of: digital_services
-- grain: one service, by the key of its row
-- inputs: evidence
-- parameters: $service_number
SELECT 'digital_service' AS source, period || '|' || record_key AS record_key, role, reason, NULL AS amount
FROM evidence
WHERE record_key = CAST($service_number AS VARCHAR)
