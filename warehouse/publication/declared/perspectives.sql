-- table: perspectives
-- grain: one perspective
-- inputs: reference.perspectives
SELECT perspective, name_id, name_en, printed AS printed_name, weight_percent, cited_at
FROM reference.perspectives
