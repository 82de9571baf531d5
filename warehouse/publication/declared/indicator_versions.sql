-- table: indicator_versions
-- grain: one indicator and version of its definition
-- inputs: definition_versions (the definitions, registered by the publication)
SELECT indicator, definition_version, valid_from, changed_id, changed_en, legal_basis, cited_at, inferred, formula
FROM definition_versions
