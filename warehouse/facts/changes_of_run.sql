-- reads: facts.kpi_values, facts.service_summary, facts.kpi_scores, and the tables of results. What stands in braces: see changes.py
-- grain: one number of an item and period whose version the run opened, or closed without a successor, with the one before
-- parameters: $run, $office
WITH numbers AS (
  SELECT indicator AS item, period, CAST(left(period, 4) AS INTEGER) AS year, CAST(value AS VARCHAR) AS number,
    -- an indicator is told whole, also where its components alone differ
    true AS is_told, true AS is_told_unchanged, known_from, known_to, reason, run, closed_by
  FROM facts.kpi_values
  WHERE office = $office
  UNION ALL
  SELECT service || '.' || measure || CASE WHEN breakdown IN ('year', 'period') THEN '' WHEN breakdown IN ('region', 'agency') THEN '|' || group_name
      ELSE '|' || breakdown || '=' || group_name END,
    CASE breakdown WHEN 'period' THEN group_name ELSE CAST(year AS VARCHAR) END, year, number,
    is_told AND breakdown IN ('year', 'period'), false, known_from, known_to, reason, run, closed_by
  FROM (
    SELECT service, year, breakdown, group_name, known_from, known_to, reason, run, closed_by,
      {measures}
    FROM facts.service_summary
    WHERE office = $office
  )
  UNION ALL
  SELECT CASE WHEN measure = 'npss' THEN item ELSE item || '.' || measure END, CAST(year AS VARCHAR), year, CAST(value AS VARCHAR),
    measure = 'npss' AND value IS NOT NULL, false, known_from, known_to, reason, run, closed_by
  FROM facts.kpi_scores
  WHERE office = $office
  {results}
), versions AS (
  SELECT item, period, year, number AS new, is_told, is_told_unchanged, reason, run,
    -- a line that had gone and comes back had no number before
    CASE WHEN lag(known_to) OVER earlier = known_from THEN lag(number) OVER earlier END AS old,
    coalesce(lag(known_to) OVER earlier = known_from, false) AS has_old
  FROM numbers
  WINDOW earlier AS (PARTITION BY item, period ORDER BY known_from, run)
), vanished AS (
  SELECT item, period, year, number AS old, is_told
  FROM numbers
  WHERE closed_by = $run AND (item, period) NOT IN (SELECT (item, period) FROM numbers WHERE run = $run)
)
SELECT item, period, year, old, new, CASE WHEN has_old THEN reason END AS reason,
  is_told OR (old IS NOT NULL AND new IS NULL AND item = 'NPSS') AS is_told
FROM versions
WHERE run = $run AND (is_told_unchanged OR NOT has_old OR old IS DISTINCT FROM new) AND (old IS NOT NULL OR new IS NOT NULL OR is_told_unchanged)
UNION ALL
SELECT item, period, year, old, NULL, 'late_data', is_told FROM vanished
ORDER BY item, period
