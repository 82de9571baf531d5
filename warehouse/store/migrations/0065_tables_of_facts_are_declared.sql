-- tables: ledger.added_columns, facts.staged_kpi_values, facts.staged_service_summary
-- grain: one column that a declaration of transforms/facts or transforms/results got after the table had been made here: seals of the runs
--        before first_run_id say nothing of it. What a backfill has staged is called after its table of facts.
CREATE TABLE ledger.added_columns (table_name VARCHAR, column_name VARCHAR, first_run_id INTEGER);
ALTER TABLE facts.staged_values RENAME TO staged_kpi_values;
ALTER TABLE facts.staged_summary RENAME TO staged_service_summary;
