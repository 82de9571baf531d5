-- table: objectives
-- grain: one strategic objective
-- inputs: reference.objectives
SELECT objective, name_id, name_en, perspective, cited_at
FROM reference.objectives
