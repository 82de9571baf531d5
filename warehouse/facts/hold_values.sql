-- table: fresh_kpi_values (temporary)
-- grain: one value of an indicator that a printed number contradicts, or that is made of such a one, as it is published meanwhile
-- inputs: derived_facts (temporary): as the run derived it; facts.kpi_values: as it was published before
-- parameters: $run
WITH before AS (
  SELECT * EXCLUDE (known_from, known_to, reason, run, closed_by)
  FROM facts.kpi_values
  WHERE known_to IS NULL AND (indicator, period, office) IN (SELECT indicator, period, office FROM derived_facts)
), kept AS (
  FROM before WHERE value IS NOT NULL OR status = 'withheld_contested'
), meanwhile AS (
  SELECT kept.*, 'contested' AS cause
  FROM kept
  -- nothing is derived any more, and nothing was: there is no number to hold back
  WHERE value IS NOT NULL OR (indicator, period, office) IN (SELECT indicator, period, office FROM derived_facts WHERE value IS NOT NULL)
  UNION ALL BY NAME
  -- what would tell the value stays away with it
  SELECT * EXCLUDE (reason, run) REPLACE (
    'withheld_contested' AS status, CAST(NULL AS DECIMAL(28,6)) AS value, CAST(NULL AS DECIMAL(28,6)) AS numerator,
    CAST(NULL AS DECIMAL(28,6)) AS denominator, CAST(NULL AS DECIMAL(28,6)) AS band_low, CAST(NULL AS DECIMAL(28,6)) AS band_high
  ), 'contested' AS cause
  FROM derived_facts
  WHERE value IS NOT NULL AND (indicator, period, office) NOT IN (SELECT indicator, period, office FROM kept)
)
SELECT * REPLACE (
  list_sort(list_distinct(list_append(list_filter(coalesce(flags, []), lambda flag: flag <> 'waived' OR status = 'reported'), 'contested'))) AS flags
)
FROM meanwhile
UNION ALL BY NAME
SELECT * EXCLUDE (reason, run), CASE WHEN run = $run THEN reason ELSE 'released' END AS cause
FROM derived_facts
WHERE (indicator, period, office) NOT IN (SELECT indicator, period, office FROM meanwhile)
