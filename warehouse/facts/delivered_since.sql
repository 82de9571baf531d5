-- reads: ledger.touched_years, ledger.partitions
-- grain: one source and year that a delivery touched which the standing scores of the year, and so its facts, do not know
-- parameters: $years
SELECT DISTINCT touched.source, touched.year
FROM ledger.touched_years AS touched
LEFT JOIN ledger.partitions AS scores ON scores.item = 'scores' AND scores.year = touched.year
WHERE list_contains($years, touched.year) AND touched.batch_id > coalesce(scores.entered_batch, 0)
