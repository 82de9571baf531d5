-- table: indicator_names
-- grain: one indicator
-- inputs: reference.indicator_names
SELECT indicator, name_id, name_en, cited_at
FROM reference.indicator_names
