-- reads: facts.kpi_values, facts.kpi_scores, ledger.runs, ledger.derivations
-- grain: one item and year of which a number is held back, with what else than late data made it be derived since it is
-- parameters: none
WITH held AS (
  SELECT indicator AS item, CAST(left(period, 4) AS INTEGER) AS year, run
  FROM facts.kpi_values
  WHERE known_to IS NULL AND list_contains(flags, 'contested')
  UNION ALL
  SELECT 'scores', year, run
  FROM facts.kpi_scores
  WHERE known_to IS NULL AND status IN ('contested', 'withheld_contested')
), since AS (
  SELECT held.item, held.year, min(runs.run_id) AS run_id
  FROM held
  JOIN ledger.runs AS runs ON runs.run = held.run
  GROUP BY held.item, held.year
)
SELECT since.item, since.year, list(DISTINCT derivations.cause) FILTER (derivations.cause IS NOT NULL) AS causes
FROM since
LEFT JOIN ledger.derivations AS derivations
  ON derivations.item = since.item AND derivations.year = since.year AND derivations.run_id >= since.run_id
  -- a printed number that was delivered counts as late data, though it moves no value; where there is nothing else, it is late data
  AND derivations.cause <> 'late_data'
GROUP BY since.item, since.year
