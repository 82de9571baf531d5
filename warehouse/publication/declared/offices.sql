-- table: offices
-- grain: one office
-- inputs: reference.offices
SELECT office_code AS office, name AS office_name, is_own
FROM reference.offices
