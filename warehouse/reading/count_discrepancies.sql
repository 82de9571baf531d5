-- reads: discrepancies (published)
-- grain: one way in which discrepancies of the report of the year are found, with their number
-- parameters: $year
SELECT CASE WHEN found_by = 'text' THEN 'text' WHEN found_by IS NULL THEN 'not_found' ELSE 'found' END AS way, count(*)
FROM discrepancies
WHERE report_year = $year
GROUP BY way
