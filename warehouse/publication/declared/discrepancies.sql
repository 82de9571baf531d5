-- table: discrepancies
-- grain: one discrepancy: documented, or found by this run, or both
-- inputs: facts.reconciliation, documented_discrepancies (what is known of the reports, registered by the publication)
WITH found AS (
  -- what two printings of one report come to may differ by one unit and be wrong; what is derived may so differ by rounding
  SELECT coalesce(discrepancy, item) AS discrepancy, item, report_year, published, derived, printed_in,
    CAST(count(*) OVER (PARTITION BY coalesce(discrepancy, item)) AS INTEGER) AS findings
  FROM facts.reconciliation
  WHERE verdict IN ('known', 'waived', 'different') OR (verdict = 'rounding' AND starts_with(item, 'check|'))
  QUALIFY row_number() OVER (PARTITION BY coalesce(discrepancy, item) ORDER BY starts_with(item, 'check|') DESC, item) = 1
)
SELECT discrepancy, coalesce(documented.report_year, found.report_year) AS report_year, discrepancy_type, discrepancy_severity,
  coalesce(location, printed_in) AS printed_in, coalesce(stated, published) AS stated, coalesce(computed, derived) AS computed,
  likely_cause, handling, coalesce(item, CASE WHEN is_for_readers THEN 'text' END) AS found_by, coalesce(findings, 0) AS findings,
  published, derived
FROM documented_discrepancies AS documented
FULL JOIN found USING (discrepancy)
