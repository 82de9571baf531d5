-- reads: contested (published)
-- grain: one number that is held back and the printed number that contradicts
-- parameters: $year
SELECT item, held_measure, held_item, period, published, derived, printed_in
FROM contested
WHERE coalesce(year = $year, true)
ORDER BY item, held_measure, held_item, period
