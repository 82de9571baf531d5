"""SQL around an indicator's evidence query: runs it into one table, groups it into nodes, and sums it up. Pure text."""

from datetime import date

from transforms.definitions import Indicator, Version

# The columns of every evidence query: one row a record, period and group. Roles: numerator and denominator make the value;
# excluded (with its reason) and held do not. A held record is in quarantine only: it counts in the quality band, as one
# record of its group that was worth the least, or the most.
EVIDENCE_COLUMNS = """period VARCHAR, record_key VARCHAR, role VARCHAR, reason VARCHAR, path VARCHAR[], amount DECIMAL(18,6),
  is_contested BOOLEAN, flag VARCHAR"""


def evidence_sql(indicator: Indicator) -> str:
    """INSERT of the evidence of one version's years into ``indicator_evidence``."""
    return (
        "INSERT INTO indicator_evidence BY NAME SELECT period, record_key, role, reason, path, amount, is_contested, flag "
        f"FROM (\n{indicator.sql}\n)"
    )


def version_in_force(indicator: Indicator, year: int) -> Version | None:
    """The version by which a year is computed: the one in force on its last day."""
    return indicator.version_at(date(year, 12, 31))


def version_years(indicator: Indicator, years: list[int]) -> list[tuple[Version, int, int]]:
    """Runs of consecutive years under one version: (version, first year, last year). A year is computed under its own version."""
    runs: list[tuple[Version, int, int]] = []
    for year in sorted(years):
        version = version_in_force(indicator, year)
        if version is None:
            continue
        if runs and runs[-1][0] == version and runs[-1][2] == year - 1:
            runs[-1] = (version, runs[-1][1], year)
        else:
            runs.append((version, year, year))
    return runs


NODES = """
SELECT period, path, coalesce(sum(amount) FILTER (role <> 'held'), 0) AS amount, count(*) FILTER (role <> 'held') AS records,
  sum(CASE WHEN role = 'held' OR is_contested THEN $amount_min ELSE amount END) AS amount_low,
  sum(CASE WHEN role = 'held' OR is_contested THEN $amount_max ELSE amount END) AS amount_high,
  count(*) AS records_with_held
FROM indicator_evidence
WHERE role IN ('numerator', 'denominator', 'held')
GROUP BY period, path
ORDER BY period, path
"""

SUMMARY = """
SELECT period,
  bool_or(role <> 'held') AS has_accepted,
  count(DISTINCT record_key) FILTER (role IN ('numerator', 'denominator')) AS records,
  list_sort(list(DISTINCT flag) FILTER (flag IS NOT NULL)) AS flags,
  sha256(string_agg(record_key || ':' || role || ':' || coalesce(reason, '') || ':' || coalesce(array_to_string(path, '/'), '')
    || ':' || coalesce(CAST(amount AS VARCHAR), ''), chr(10) ORDER BY record_key, path, role)
    FILTER (role <> 'held')) AS evidence_hash
FROM indicator_evidence
GROUP BY period
"""

EXCLUDED = """
SELECT period, reason, count(DISTINCT record_key) AS records
FROM indicator_evidence
WHERE role = 'excluded'
GROUP BY period, reason
ORDER BY period, reason
"""
