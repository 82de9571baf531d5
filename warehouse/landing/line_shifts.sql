-- reads: blank_lines (a frame of the reader: row_number, lines: so many blank lines right before this data row), the landed delivery
-- grain: one data row from which on the lines of the file are further ahead, with by how many (shift)
-- parameters: $landed; {values}: the landed columns, whose line ends move what follows
SELECT row_number, CAST(sum(sum(lines)) OVER (ORDER BY row_number) AS BIGINT) AS shift
FROM (
  SELECT row_number, lines FROM blank_lines
  UNION ALL
  SELECT file_row_number + 2, length(text) - length(replace(text, chr(10), ''))
  FROM (SELECT file_row_number, concat({values}) AS text FROM read_parquet($landed, file_row_number = true))
  WHERE contains(text, chr(10))
)
GROUP BY row_number
