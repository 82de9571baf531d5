-- table: objectives
-- grain: one objective
-- inputs: reference.objectives
SELECT objective, name_id, name_en, perspective, cited_at
FROM reference.objectives
