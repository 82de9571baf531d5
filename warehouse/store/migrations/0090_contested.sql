-- tables: ledger.waivers, facts.contested
-- grain: see each

--- one row a decision of `kpi waive`: this derived value stands beside this printed one, for this reason, on this owner's word, up to this
--- day (NULL: for good). The newest row of an item counts
CREATE TABLE ledger.waivers (
  run_id INTEGER, item VARCHAR, published VARCHAR, derived VARCHAR, reason VARCHAR, owner VARCHAR, until DATE, waived_at TIMESTAMP
);

--- one row a number that is held back now and a delivered printed number that contradicts it, or what it rests on. measure: `value`
--- of an indicator, else a measure of the score. Its history is that of the facts, whose versions are flagged
CREATE TABLE facts.contested (item VARCHAR, measure VARCHAR, held_item VARCHAR, period VARCHAR, held_name VARCHAR);
