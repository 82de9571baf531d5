-- table: agencies
-- grain: one agency
-- inputs: reference.agencies
SELECT agency_code, name AS agency_name, kind, province, bps_code, kemendagri_code
FROM reference.agencies
