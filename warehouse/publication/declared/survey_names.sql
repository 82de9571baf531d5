-- table: survey_names
-- grain: one survey, kind of name and code
-- inputs: reference.survey_names
SELECT survey_code, kind AS name_kind, code, name_id, name_en, cited_at
FROM reference.survey_names
