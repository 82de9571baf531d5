-- reads: survey_units_history, survey_names (published)
-- grain: one survey, semester and unit, the version known at $clock (NULL: now)
-- parameters: $year, $survey, $period (NULL: all), $clock
SELECT units.survey_code AS survey, period, unit_code AS unit, names.name_id AS name, ikm_value AS ikm, grade, respondent_count AS respondents,
  is_provisional AS provisional, known_from
FROM survey_units_history AS units
LEFT JOIN survey_names AS names ON names.survey_code = units.survey_code AND names.name_kind = 'unit' AND names.code = unit_code
WHERE version_is_known(known_from, known_to, $clock)
  AND year = $year AND coalesce(units.survey_code = $survey, true) AND coalesce(period = $period, true)
ORDER BY units.survey_code DESC, period, unit_code = 'total', unit_code
