-- reads: facts.reconciliation
-- grain: one delivered printed number beside which another derived one stands by somebody's word; note: why, and whose
-- parameters: none
SELECT item, published, derived, note FROM facts.reconciliation WHERE is_delivered AND verdict = 'waived' ORDER BY item
