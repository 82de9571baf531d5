-- table: budget_programs
-- grain: one code
-- inputs: reference.budget_programs
SELECT program_code AS budget_code, name AS name_id, cited_at
FROM reference.budget_programs
