-- table: fresh_kpi_values (temporary)
-- grain: one value that somebody's word lets stand beside a printed one, flagged; or did until now, without the flag
-- inputs: derived_facts (temporary)
-- parameters: $run, $waived: 'indicator period' of each that is waived
SELECT * EXCLUDE (reason, run) REPLACE (
  list_sort(list_distinct(list_concat(
    list_filter(coalesce(flags, []), lambda flag: flag <> 'waived'),
    CASE WHEN list_contains($waived, indicator || ' ' || period) THEN ['waived'] ELSE [] END
  ))) AS flags
), CASE WHEN run = $run THEN reason ELSE 'released' END AS cause
FROM derived_facts
