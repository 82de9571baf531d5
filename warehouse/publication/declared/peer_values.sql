-- table: peer_values
-- grain: one indicator, period and office
-- inputs: described_values (temporary)
SELECT indicator, title_id, title_en, period, period_kind, year, period_start, period_end, office, definition_version, cut_off, value,
  decimals, unit, target, status, numerator, denominator, excluded, band_low, band_high, is_provisional, flags, evidence_hash,
  known_from, run
FROM described_values
WHERE NOT is_own_office AND known_to IS NULL
