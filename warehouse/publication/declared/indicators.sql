-- table: indicators
-- grain: one indicator
-- inputs: definition_indicators (the definitions, registered by the publication)
SELECT indicator, title_id, title_en, owner, legal_basis, cited_at, unit, decimals, polarity, perspective, objective
FROM definition_indicators
