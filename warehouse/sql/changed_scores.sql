-- reads: facts.kpi_scores
-- grain: one year whose NPSS this run entered anew, with the one before; where it is or was there
-- parameters: $run
WITH versions AS (
  SELECT item, year, CAST(value AS VARCHAR) AS new, reason, run,
    lag(CAST(value AS VARCHAR)) OVER (PARTITION BY year, office ORDER BY known_from, run) AS old
  FROM facts.kpi_scores
  WHERE measure = 'npss'
)
SELECT item, CAST(year AS VARCHAR) AS period, old, new, reason
FROM versions
WHERE run = $run AND (old IS NOT NULL OR new IS NOT NULL)
ORDER BY period
