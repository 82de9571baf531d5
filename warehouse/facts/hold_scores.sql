-- table: fresh_kpi_scores (temporary)
-- grain: one number of a year's score that a printed number contradicts, or that rests on such a one, as it is published meanwhile
-- inputs: derived_facts (temporary): as the run derived it; facts.kpi_scores: as it was published before
-- parameters: $run
WITH before AS (
  SELECT * EXCLUDE (known_from, known_to, reason, run, closed_by)
  FROM facts.kpi_scores
  WHERE known_to IS NULL AND (measure, item, year, office) IN (SELECT measure, item, year, office FROM derived_facts)
), kept AS (
  SELECT * REPLACE (CASE WHEN value IS NULL THEN status ELSE 'contested' END AS status)
  FROM before
  WHERE value IS NOT NULL OR status = 'withheld_contested'
), meanwhile AS (
  SELECT kept.*, 'contested' AS cause
  FROM kept
  -- nothing is derived any more, and nothing was: there is no number to hold back
  WHERE value IS NOT NULL OR (measure, item, year, office) IN (SELECT measure, item, year, office FROM derived_facts WHERE value IS NOT NULL)
  UNION ALL BY NAME
  SELECT * EXCLUDE (reason, run) REPLACE (
    'withheld_contested' AS status, CAST(NULL AS DECIMAL(28,6)) AS value, CAST(NULL AS VARCHAR) AS category
  ), 'contested' AS cause
  FROM derived_facts
  WHERE value IS NOT NULL AND (measure, item, year, office) NOT IN (SELECT measure, item, year, office FROM kept)
)
FROM meanwhile
UNION ALL BY NAME
SELECT * EXCLUDE (reason, run), CASE WHEN run = $run THEN reason ELSE 'released' END AS cause
FROM derived_facts
WHERE (measure, item, year, office) NOT IN (SELECT measure, item, year, office FROM meanwhile)
