-- table: reconciliation
-- grain: one printed number, or one check of printed numbers
-- inputs: facts.reconciliation
SELECT item, year, report_year, published, derived, verdict, discrepancy, note, printed_in, is_delivered
FROM facts.reconciliation
