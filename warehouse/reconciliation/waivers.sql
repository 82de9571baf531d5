-- reads: ledger.waivers
-- grain: one item of which a difference was ever accepted, with the newest decision
-- parameters: none
SELECT item, published, derived, reason, owner, until
FROM ledger.waivers
QUALIFY row_number() OVER (PARTITION BY item ORDER BY run_id DESC, waived_at DESC) = 1
ORDER BY item
