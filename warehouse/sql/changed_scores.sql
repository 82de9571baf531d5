-- reads: facts.kpi_scores
-- grain: one number of the score that this run entered, with the one before; NSS, NKP and NPSS that are or were there
-- parameters: $run
WITH versions AS (
  SELECT measure, item, year, CAST(value AS VARCHAR) AS new, reason, run,
    lag(CAST(value AS VARCHAR)) OVER (PARTITION BY measure, item, year, office ORDER BY known_from, run) AS old
  FROM facts.kpi_scores
  WHERE measure IN ('npss', 'nkp', 'nss')
)
SELECT CASE measure WHEN 'npss' THEN item ELSE upper(measure) || '.' || item END AS item, CAST(year AS VARCHAR) AS period, old, new, reason
FROM versions
WHERE run = $run AND (old IS NOT NULL OR new IS NOT NULL)
ORDER BY item, period
