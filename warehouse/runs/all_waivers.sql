-- reads: ledger.waivers, ledger.runs
-- grain: one decision of `kpi waive`; is_newest: of its item; has_ended: before the day up to which the newest run knows
-- parameters: none
SELECT waivers.item, published, derived, reason, owner, until, waived_at, runs.run,
  row_number() OVER (PARTITION BY waivers.item ORDER BY waivers.run_id DESC, waived_at DESC) = 1 AS is_newest,
  coalesce(until < (SELECT CAST(max(clock) AS DATE) FROM ledger.runs), false) AS has_ended
FROM ledger.waivers AS waivers
JOIN ledger.runs AS runs ON runs.run_id = waivers.run_id
ORDER BY waivers.run_id DESC, waivers.item
