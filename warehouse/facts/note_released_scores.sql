-- table: facts.kpi_scores
-- grain: one version that the run opened after one that was held back: what is released unchanged, or was withheld, has that reason
-- inputs: facts.kpi_scores
-- parameters: $run
UPDATE facts.kpi_scores AS fact SET reason = 'released'
FROM facts.kpi_scores AS before
WHERE fact.run = $run AND fact.known_to IS NULL AND fact.reason <> 'contested'
  AND before.closed_by = $run AND before.measure = fact.measure AND before.item = fact.item AND before.year = fact.year AND before.office = fact.office
  AND before.status IN ('contested', 'withheld_contested')
  AND (before.status = 'withheld_contested' OR fact.value IS NOT DISTINCT FROM before.value)
