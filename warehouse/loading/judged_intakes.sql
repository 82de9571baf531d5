-- reads: ledger.batches, ledger.intakes, ledger.reprocessed, ledger.purges
-- grain: one source and fingerprint by which deliveries of it were judged last (NULL: not noted then), with how many;
--        those whose rows were removed at the end of their retention cannot be judged any more
-- parameters: none
SELECT batches.source, judged.contract_digest, judged.code_digest, count(*) AS deliveries
FROM ledger.batches AS batches
LEFT JOIN (
  SELECT batch_id, arg_max(contract_digest, run_id) AS contract_digest, arg_max(code_digest, run_id) AS code_digest
  FROM ledger.intakes GROUP BY batch_id
) AS judged ON judged.batch_id = batches.batch_id
WHERE batches.batch_id NOT IN (SELECT batch_id FROM ledger.reprocessed)
  AND batches.batch_id NOT IN (SELECT batch_id FROM ledger.purges)
GROUP BY ALL
ORDER BY ALL
