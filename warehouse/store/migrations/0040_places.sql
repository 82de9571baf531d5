-- writes: ledger.places, ledger.line_shifts, quarantine.held_places
-- grain: see each

--- one row a delivery of which a person can say where a row stands: the line of its first data row (of a sheet: the row), and for
--- a sheet the letters of the column that each rule judges. A delivery without one (Parquet, pages) is known by its data rows alone
CREATE TABLE ledger.places (batch_id INTEGER, first_line BIGINT, letters MAP(VARCHAR, VARCHAR));
--- one row a data row from which on the lines are further ahead: blank lines, line ends inside values. None in nearly every delivery
CREATE TABLE ledger.line_shifts (batch_id INTEGER, row_number BIGINT, shift BIGINT);

--- one row a held row: the line, and the cells that its reasons judge, in the order of the reasons
CREATE VIEW quarantine.held_places AS
SELECT
  held.batch_id, held.row_number, held.reasons,
  places.first_line + held.row_number - 1 + coalesce(shifts.shift, 0) AS line,
  list_filter(list_transform(held.reasons, lambda reason: places.letters[reason]), lambda letter: letter IS NOT NULL) AS letters
FROM quarantine.held_rows AS held
LEFT JOIN ledger.places AS places ON places.batch_id = held.batch_id
ASOF LEFT JOIN ledger.line_shifts AS shifts ON shifts.batch_id = held.batch_id AND held.row_number >= shifts.row_number;
