-- indicator: IKU-06 integration with SIASN
-- grain: one row an agency and quarter
-- inputs: states.integration, quarantine.open_rows, quarantine.held_rows, reference.agencies
-- parameters: $first_year, $last_year, $clock, $known_batch (common); $by_channel, $history_types (version)
-- output: the columns of every evidence query, see docs/how-to/add-an-indicator.md
WITH accepted AS (
  SELECT year, quarter, agency_code, history_type, channel, is_integrated, letter_date, letter_number
  FROM states.integration
  WHERE row_is_known(batch_id, replaced_by_batch_id, $known_batch)
    AND letter_date <= CAST($clock AS DATE)
), newest AS (
  SELECT year, quarter, agency_code, history_type, channel, is_integrated, letter_date, letter_number
  FROM accepted
  WHERE year BETWEEN $first_year AND $last_year
  QUALIFY row_number() OVER (
    PARTITION BY year, quarter, agency_code, history_type ORDER BY letter_date DESC, letter_number DESC
  ) = 1
), held AS (
  SELECT open_rows.year, CAST(right(open_rows.part, 1) AS BIGINT) AS quarter, split_part(open_rows.record_key, '|', 3) AS agency_code,
    -- the channels that the held rows name; NULL where none can be told
    list(DISTINCT json_extract_string(held_rows.categories, '$.channel'))
      FILTER (json_extract_string(held_rows.categories, '$.channel') IS NOT NULL) AS named_channels
  FROM quarantine.open_rows
  JOIN quarantine.held_rows ON held_rows.batch_id = open_rows.batch_id AND held_rows.row_number = open_rows.row_number
  WHERE open_rows.source = 'integration' AND open_rows.year BETWEEN $first_year AND $last_year AND open_rows.record_key IS NOT NULL
  GROUP BY open_rows.year, quarter, agency_code
), quarters AS (
  SELECT DISTINCT year, quarter FROM newest
), delivered AS (
  SELECT year, quarter, agency_code,
    -- the agency's channel is that of its jabatan row; where that row is held back, of its newest other row
    coalesce(max(channel) FILTER (history_type = 'jabatan'), arg_max(channel, (letter_date, letter_number))) AS channel,
    coalesce(bool_or(is_integrated) FILTER (list_contains($history_types, history_type)), false) AS is_integrated
  FROM newest
  GROUP BY year, quarter, agency_code
), held_whole AS (
  -- every row of the agency is held back: it stays, not integrated, where its newest earlier letter had it
  SELECT held.year, held.quarter, held.agency_code, arg_max(accepted.channel, (letter_date, letter_number)) AS channel
  FROM held
  JOIN quarters ON quarters.year = held.year AND quarters.quarter = held.quarter
  JOIN accepted ON accepted.agency_code = held.agency_code
    AND (accepted.year, accepted.quarter) < (held.year, held.quarter)
  ANTI JOIN delivered ON delivered.year = held.year AND delivered.quarter = held.quarter
    AND delivered.agency_code = held.agency_code
  GROUP BY held.year, held.quarter, held.agency_code
), present AS (
  SELECT year, quarter, agency_code, channel, is_integrated FROM delivered
  UNION ALL
  SELECT year, quarter, agency_code, channel, false FROM held_whole
), held_alone AS (
  -- held rows alone, and no earlier letter: the agency is in the band, in each channel that it may be of (ruling 48)
  SELECT held.year, held.quarter, held.agency_code, channels.channel
  FROM held
  SEMI JOIN reference.agencies AS agencies ON agencies.agency_code = held.agency_code
  JOIN (SELECT DISTINCT year, quarter, channel FROM delivered) AS channels
    ON channels.year = held.year AND channels.quarter = held.quarter
    AND coalesce(list_contains(held.named_channels, channels.channel), true)
  ANTI JOIN present ON present.year = held.year AND present.quarter = held.quarter AND present.agency_code = held.agency_code
  WHERE $by_channel
), region AS (
  SELECT quarters.year, quarters.quarter, agencies.agency_code, present.channel, present.is_integrated
  FROM quarters
  CROSS JOIN reference.agencies AS agencies
  LEFT JOIN present ON present.year = quarters.year AND present.quarter = quarters.quarter
    AND present.agency_code = agencies.agency_code
)
SELECT
  region.year || '-Q' || region.quarter AS period,
  region.agency_code AS record_key,
  CASE
    WHEN is_integrated THEN 'numerator'
    WHEN channel IS NOT NULL OR NOT $by_channel THEN 'denominator'
    ELSE 'excluded'
  END AS role,
  CASE WHEN channel IS NULL AND $by_channel THEN 'no_row_in_quarter' END AS reason,
  CASE WHEN $by_channel THEN [channel] ELSE CAST([] AS VARCHAR[]) END AS path,
  CAST(coalesce(is_integrated, false) AS INTEGER) AS amount,
  held.agency_code IS NOT NULL AS is_contested,
  CASE WHEN channel IS NULL THEN 'incomplete' END AS flag
FROM region
LEFT JOIN held ON held.year = region.year AND held.quarter = region.quarter AND held.agency_code = region.agency_code
UNION ALL
SELECT year || '-Q' || quarter, agency_code, 'held', NULL, [channel], NULL, false, NULL
FROM held_alone
