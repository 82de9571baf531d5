-- table: contested
-- grain: one number that is held back and the printed number that contradicts
-- inputs: facts.contested, facts.reconciliation
SELECT held.item, held.measure AS held_measure, held.held_item, held.period, CAST(left(held.period, 4) AS INTEGER) AS year, lines.published,
  lines.derived, lines.printed_in
FROM facts.contested AS held
JOIN facts.reconciliation AS lines ON lines.item = held.item
