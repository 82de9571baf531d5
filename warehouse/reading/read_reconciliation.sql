-- reads: reconciliation (published)
-- grain: one line: what the report of the year prints, and what is printed elsewhere of the year
-- parameters: $year
SELECT item, published, derived, verdict, discrepancy, note, printed_in, is_delivered
FROM reconciliation
WHERE year = $year OR report_year = $year
ORDER BY starts_with(item, 'check|'), item
