-- reads: survey_elements_history, survey_names (published)
-- grain: one survey, semester, unit and element, the version known at $clock (NULL: now)
-- parameters: $year, $survey, $period (NULL: all), $clock
SELECT elements.survey_code AS survey, period, unit_code AS unit, element_code AS element, names.name_id AS name, mean_score AS mean,
  respondent_count AS respondents, lowest_rank AS rank, is_provisional AS provisional, known_from
FROM survey_elements_history AS elements
LEFT JOIN survey_names AS names
  ON names.survey_code = elements.survey_code AND names.name_kind = 'element' AND names.code = element_code
WHERE version_is_known(known_from, known_to, $clock)
  AND year = $year AND coalesce(elements.survey_code = $survey, true) AND coalesce(period = $period, true)
ORDER BY elements.survey_code DESC, period, unit_code = 'total', unit_code, element_code
