-- reads: ledger.derivations
-- grain: one item and year that was derived for a closed year since its facts were entered, with why
-- parameters: $years
WITH entered AS (
  SELECT item, year, max(run_id) AS run_id FROM ledger.derivations WHERE state = 'entered' GROUP BY item, year
)
SELECT pending.item, pending.year, list_sort(list(DISTINCT pending.cause)) AS causes
FROM ledger.derivations AS pending
LEFT JOIN entered ON entered.item = pending.item AND entered.year = pending.year
WHERE pending.state = 'pending' AND list_contains($years, pending.year) AND pending.run_id > coalesce(entered.run_id, 0)
GROUP BY pending.item, pending.year
