-- table: nspk_grades
-- grain: one grade
-- inputs: reference.nspk_grades
SELECT grade AS nspk_grade, name_id, name_en, lowest_score, highest_score, cited_at
FROM reference.nspk_grades
