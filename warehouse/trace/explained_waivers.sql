-- reads: facts.reconciliation, ledger.waivers
-- grain: one printed number beside which another derived one stands by somebody's word
-- parameters: none
SELECT lines.item, lines.published, lines.derived, waivers.reason, owner, until, waived_at
FROM facts.reconciliation AS lines
JOIN ledger.waivers AS waivers ON waivers.item = lines.item
WHERE lines.is_delivered AND lines.verdict = 'waived'
QUALIFY row_number() OVER (PARTITION BY lines.item ORDER BY waivers.run_id DESC, waived_at DESC) = 1
ORDER BY lines.item
