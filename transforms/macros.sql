-- macros of every connection that derives or reads: what many queries ask or compute, in one place
-- row_is_known: whether a state counts after delivery `known_batch` was taken in: it came by then, and no correction that came by then replaced it
-- version_is_known: whether a version of a fact stood at `moment`; NULL: whether it stands now
-- percent_half_up: 100 n / d as a percentage with two decimals, half up, in integers only; NULL where there is nothing to divide by
CREATE OR REPLACE TEMP MACRO row_is_known(batch_id, replaced_by_batch_id, known_batch) AS
  batch_id <= known_batch AND (replaced_by_batch_id IS NULL OR replaced_by_batch_id > known_batch);

CREATE OR REPLACE TEMP MACRO version_is_known(known_from, known_to, moment) AS
  CASE WHEN moment IS NULL THEN known_to IS NULL ELSE known_from <= moment AND (known_to IS NULL OR known_to > moment) END;

CREATE OR REPLACE TEMP MACRO percent_half_up(n, d) AS
  CASE WHEN d > 0 THEN CAST(CAST((2 * 10000 * CAST(n AS BIGINT) + d) // (2 * d) AS DECIMAL(18, 0)) * 0.01 AS DECIMAL(9, 2)) END;
