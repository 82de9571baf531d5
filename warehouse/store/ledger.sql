-- tables: the ledger of runs and deliveries, held rows, facts
-- grain: stated at each table
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE SCHEMA IF NOT EXISTS quarantine;
CREATE SCHEMA IF NOT EXISTS states;
CREATE SCHEMA IF NOT EXISTS facts;
CREATE SCHEMA IF NOT EXISTS reference;

-- one row a fact about the installation
CREATE TABLE IF NOT EXISTS ledger.meta (name VARCHAR, value VARCHAR);

-- one row a run; clock is what the run takes for now (WIB)
CREATE TABLE IF NOT EXISTS ledger.runs (
  run_id INTEGER, run VARCHAR, clock TIMESTAMP, as_of DATE, started_at TIMESTAMP, finished_at TIMESTAMP,
  status VARCHAR, message VARCHAR
);

-- one row a step of a run
CREATE TABLE IF NOT EXISTS ledger.steps (run_id INTEGER, step VARCHAR, seconds DECIMAL(12,3));

-- one row a delivery that was taken in; batch_id is the order in which deliveries were taken in; layout: the contract's layout in
-- which it came, NULL for the agreed one
CREATE TABLE IF NOT EXISTS ledger.batches (
  batch_id INTEGER, run_id INTEGER, source VARCHAR, file VARCHAR, sha256 VARCHAR, is_correction BOOLEAN, format VARCHAR,
  decimal_comma BOOLEAN, is_typed BOOLEAN, landed BIGINT, accepted BIGINT, quarantined BIGINT, duplicate BIGINT, archive_sha256 VARCHAR,
  layout VARCHAR
);

-- one row a delivery that was refused whole, a run
CREATE TABLE IF NOT EXISTS ledger.refusals (
  run_id INTEGER, source VARCHAR, file VARCHAR, sha256 VARCHAR, code VARCHAR, message VARCHAR, message_id VARCHAR
);

-- one row a delivery and rule: what Great Expectations counted
CREATE TABLE IF NOT EXISTS ledger.validation_results (
  batch_id INTEGER, source VARCHAR, rule VARCHAR, severity VARCHAR, rows_checked BIGINT, rows_failed BIGINT
);

-- one row a check of a delivery as a whole: against its own source's history, or the totals that it brought along
CREATE TABLE IF NOT EXISTS ledger.delivery_checks (
  batch_id INTEGER, check_name VARCHAR, is_good BOOLEAN, finding_en VARCHAR, finding_id VARCHAR
);

-- one row a delivery, column and value whose share of the rows is followed (value NULL: the share without any)
CREATE TABLE IF NOT EXISTS ledger.shares (batch_id INTEGER, column_name VARCHAR, value VARCHAR, rows BIGINT);

-- one row a source, year and delivery that touched it
CREATE TABLE IF NOT EXISTS ledger.touched_years (source VARCHAR, year INTEGER, batch_id INTEGER);

-- one row a source and year that was derived; waits_until is the own time of its last row that is dated later than the clock
CREATE TABLE IF NOT EXISTS ledger.source_years (source VARCHAR, year INTEGER, settled_at TIMESTAMP, waits_until TIMESTAMP);

-- one row an item (service, indicator, scores) and year: by which definition and code, up to which delivery and on which clock
-- it was derived last; entered_batch is the last delivery that its standing facts know (a closed year's lag behind)
CREATE TABLE IF NOT EXISTS ledger.partitions (
  item VARCHAR, year INTEGER, definition_digest VARCHAR, code_digest VARCHAR, source_state VARCHAR, known_batch INTEGER,
  entered_batch INTEGER, settled_at TIMESTAMP, run_id INTEGER
);

-- one row a partition that a backfill has derived and no run has entered yet: a later one goes on from here
CREATE TABLE IF NOT EXISTS ledger.staged_partitions AS SELECT * FROM ledger.partitions LIMIT 0;

-- one row a derivation of a partition, in order
CREATE TABLE IF NOT EXISTS ledger.derivations (
  run_id INTEGER, item VARCHAR, year INTEGER, state VARCHAR, cause VARCHAR, rows_read BIGINT, seconds DECIMAL(12,3)
);

-- one row a year that was published as final: its facts change by a restatement alone
CREATE TABLE IF NOT EXISTS ledger.closings (year INTEGER, closed_at TIMESTAMP, publication_id INTEGER, run_id INTEGER);

-- one row a published number of a closed year that would change
CREATE TABLE IF NOT EXISTS ledger.pending_changes (
  item VARCHAR, period VARCHAR, old VARCHAR, new VARCHAR, cause VARCHAR, year INTEGER, run_id INTEGER
);

-- one row a correction entry and delivery that was made of it
CREATE TABLE IF NOT EXISTS ledger.corrections (
  correction_id VARCHAR, source VARCHAR, record_key VARCHAR, column_name VARCHAR, digest VARCHAR, reason VARCHAR, owner VARCHAR,
  batch_id INTEGER
);

-- one row a delivery whose archive and held rows were removed at the end of their retention
CREATE TABLE IF NOT EXISTS ledger.purges (batch_id INTEGER, run_id INTEGER, purged_at TIMESTAMP);

-- one row a restatement: why, and who approved it
CREATE TABLE IF NOT EXISTS ledger.restatements (run_id INTEGER, years INTEGER[], reason VARCHAR, approver VARCHAR, applied_at TIMESTAMP);

-- one row a run that has ended: digests of what it entered, by table, sealed with the link before
CREATE TABLE IF NOT EXISTS ledger.chain (run_id INTEGER, contents VARCHAR, previous_sha256 VARCHAR, sha256 VARCHAR);

-- one row a publication
CREATE TABLE IF NOT EXISTS ledger.publications (publication_id INTEGER, run_id INTEGER, manifest_sha256 VARCHAR);

-- one row a delivered row that is held back; its text stands in the restricted folder quarantine/
CREATE TABLE IF NOT EXISTS quarantine.held_rows (
  batch_id INTEGER, source VARCHAR, row_number BIGINT, reasons VARCHAR[], record_key VARCHAR, year INTEGER, part VARCHAR,
  closed_by_batch_id INTEGER
);
-- as the delivery $known_batch of a derivation found them (a session variable; without one, as they are now)
CREATE OR REPLACE VIEW quarantine.open_rows AS
SELECT batch_id, source, row_number, reasons, record_key, year, part
FROM quarantine.held_rows
WHERE batch_id <= coalesce(getvariable('known_batch'), 2147483647)
  AND (closed_by_batch_id IS NULL OR closed_by_batch_id > coalesce(getvariable('known_batch'), 2147483647));

-- one row an indicator, period and version of its value (bitemporal: known_from <= t < known_to); closed_by: the run that ended it
CREATE TABLE IF NOT EXISTS facts.kpi_values (
  indicator VARCHAR, period VARCHAR, office VARCHAR, definition_version VARCHAR, cut_off TIMESTAMP,
  value DECIMAL(28,6), decimals INTEGER, unit VARCHAR, target DECIMAL(28,6), status VARCHAR,
  numerator DECIMAL(28,6), denominator DECIMAL(28,6), excluded VARCHAR, band_low DECIMAL(28,6), band_high DECIMAL(28,6),
  is_provisional BOOLEAN, flags VARCHAR[], evidence_hash VARCHAR,
  known_from TIMESTAMP, known_to TIMESTAMP, reason VARCHAR, run VARCHAR, closed_by VARCHAR
);

-- one row a service, year, breakdown and group, and version of its numbers (bitemporal)
CREATE TABLE IF NOT EXISTS facts.service_summary (
  service VARCHAR, year INTEGER, breakdown VARCHAR, group_name VARCHAR, office VARCHAR, definition_version VARCHAR, cut_off TIMESTAMP,
  received_count BIGINT, ms_count BIGINT, bts_count BIGINT, tms_count BIGINT, in_process_count BIGINT,
  completion_percent DECIMAL(9,2), approval_percent DECIMAL(9,2), ever_returned_count BIGINT,
  decided_count BIGINT, two_day_percent DECIMAL(9,2), median_days DECIMAL(12,2), p90_days DECIMAL(12,2),
  excluded VARCHAR, completion_band_low DECIMAL(9,2), completion_band_high DECIMAL(9,2),
  is_provisional BOOLEAN, evidence_hash VARCHAR,
  known_from TIMESTAMP, known_to TIMESTAMP, reason VARCHAR, run VARCHAR, closed_by VARCHAR
);

-- one row a number of a year's score (measure and item), and version of it (bitemporal)
CREATE TABLE IF NOT EXISTS facts.kpi_scores (
  measure VARCHAR, item VARCHAR, year INTEGER, office VARCHAR, definition_version VARCHAR, cut_off TIMESTAMP,
  value DECIMAL(28,6), decimals INTEGER, unit VARCHAR, status VARCHAR, missing VARCHAR, category VARCHAR, is_provisional BOOLEAN,
  known_from TIMESTAMP, known_to TIMESTAMP, reason VARCHAR, run VARCHAR, closed_by VARCHAR
);

-- one row a printed number, or a check of printed numbers, as the last run compared it
CREATE TABLE IF NOT EXISTS facts.reconciliation (
  item VARCHAR, year INTEGER, report_year INTEGER, published VARCHAR, derived VARCHAR, verdict VARCHAR, discrepancy VARCHAR,
  note VARCHAR, printed_in VARCHAR, is_delivered BOOLEAN
);

-- what a backfill has derived and no run has entered yet, by partition
CREATE TABLE IF NOT EXISTS facts.staged_values AS
SELECT * EXCLUDE (known_from, known_to, reason, run, closed_by), CAST(NULL AS INTEGER) AS partition_year FROM facts.kpi_values LIMIT 0;
CREATE TABLE IF NOT EXISTS facts.staged_summary AS
SELECT * EXCLUDE (known_from, known_to, reason, run, closed_by), CAST(NULL AS INTEGER) AS partition_year FROM facts.service_summary LIMIT 0;
