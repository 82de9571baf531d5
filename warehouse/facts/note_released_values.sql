-- table: facts.kpi_values
-- grain: one version that the run opened after one that was held back: what is released unchanged, or was withheld, has that reason
-- inputs: facts.kpi_values
-- parameters: $run
UPDATE facts.kpi_values AS fact SET reason = 'released'
FROM facts.kpi_values AS before
WHERE fact.run = $run AND fact.known_to IS NULL AND fact.reason <> 'contested'
  AND before.closed_by = $run AND before.indicator = fact.indicator AND before.period = fact.period AND before.office = fact.office
  AND list_contains(before.flags, 'contested')
  AND (before.status = 'withheld_contested' OR fact.value IS NOT DISTINCT FROM before.value)
