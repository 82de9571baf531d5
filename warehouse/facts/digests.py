"""Fingerprints of what says how a number comes about, so that a run knows which numbers a change concerns.

Two sorts. The fingerprint of a derivation: where it is another, the number is derived again. That of an intake: by what the rows of a
source were judged; where it is another, deriving again would change nothing, and its deliveries are judged again from the archive.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from typing import Any

from expectations.contract import load_contract
from expectations.layout import layouts_of
from transforms.definitions import Grounded, Indicator, Version, load_indicators
from transforms.evidence import version_in_force
from transforms.facts import FactTable
from transforms.services import Service, load_services
from warehouse.facts.concerns import (
    AGREED,
    DERIVATION,
    INDICATORS,
    INTAKE,
    LAYOUTS,
    PUBLICATION,
    RECONCILIATION,
    RESULTS,
    SCORES,
    SERVICES,
    digest_of,
)

GROUNDS = set(Grounded.model_fields)
# Said in words only: no number depends on them.
WORDS = {
    "title",
    "owner",
    *GROUNDS,
    "population",
    "exclusions",
    "exceptions",
    "limits",
    "versions",
    "examples",
    "sql",
}
# Of a contract and its rules: what people are told, and when the next delivery is expected.
WORDS_OF_A_CONTRACT = {"title", "description", "message", "remedy", "codes", "unit", "owner", "reason", "cadence_days"}
# Where the file of a reference table has another name.
TABLE_FILES = {"promotion_periods": "promotion_months"}
_TABLES = re.compile(r'reference\.(\w+)|"table": "(\w+)"')


@dataclass(frozen=True)
class Intake:
    """By what the rows of a source are judged: ``contract``, what it states; ``code`` that reads and judges, with the data it looks up."""

    contract: str
    code: str


def definition_digest(indicator: Indicator, version: Version) -> str:
    """Of an indicator under one version: its own facts change with it, and no others."""
    said = indicator.model_dump(mode="json", exclude=WORDS) | {
        "version": version.model_dump(mode="json", exclude={"changed", *GROUNDS})
    }
    return digest_of((), json.dumps(said, sort_keys=True))


def code_digest(indicator: Indicator) -> str:
    """Of the evidence query and the reference tables that it names, with what indicators share."""
    return digest_of({DERIVATION, INDICATORS, AGREED, *_tables_of(indicator.sql)}, indicator.sql)


def service_digest() -> str:
    return digest_of((), load_services().definition_version)


def service_code_digest(service: Service) -> str:
    """Of the service's records and the calendar that their days are counted in, with what services share."""
    beyond_the_table = f"holidays {package_version('holidays')}"
    concerns = {
        DERIVATION,
        SERVICES,
        f"service:{service.states.removesuffix('.sql')}",
        "table:holidays",
        *_tables_of(service.records_sql),
    }
    return digest_of(concerns, beyond_the_table)


def scoring_digest() -> str:
    return digest_of({SCORES})


def scoring_code_digest() -> str:
    """Of what scores share with all other items, and of the prints beside them."""
    return digest_of({DERIVATION, AGREED})


def intake_of(source: str) -> Intake:
    """Of the contract of ``source`` and all that judges its rows. ``reference.indicators`` is made of the definitions: it is known by its rows."""
    stated, concerns = _stated(source)
    known = (
        [f"{i.id} {i.objective} {i.perspective}" for i in load_indicators()] if "table:indicators" in concerns else []
    )
    return Intake(digest_of((), stated), digest_of(concerns, *known))


def result_digest(table: FactTable, year: int) -> str:
    """Of a table of results in a year: what its rows are by its declaration, words left out, and the indicators whose evidence it reads."""
    said = table.model_dump(mode="json", include={"key", "derivation"}) | {"columns": table.ddl}
    versions = [(indicator, version_in_force(indicator, year)) for indicator in _evidence_of(table)]
    rests_on = [definition_digest(indicator, version) for indicator, version in versions if version is not None]
    return digest_of((), json.dumps(said, sort_keys=True), *rests_on)


def result_code_digest(table: FactTable) -> str:
    """Of its query and those of the evidence that it reads, and the reference tables that these name, with what tables of results share."""
    queries = [table.sql, *(indicator.sql for indicator in _evidence_of(table))]
    concerns = {DERIVATION, RESULTS, *(name for query in queries for name in _tables_of(query))}
    return digest_of(concerns, *queries)


def _evidence_of(table: FactTable) -> list[Indicator]:
    """The indicators whose evidence the table reads, each once."""
    named = {evidence.indicator for evidence in table.derivation.evidence} if table.derivation else set()
    return [indicator for indicator in load_indicators() if indicator.id in named]


def printed_digest(decided: str) -> str:
    """Of what reports print, what is known of it and how it is compared, with what is ``decided`` in the installation: the reconciliation is made
    anew where it differs."""
    return digest_of({RECONCILIATION, DERIVATION, SCORES, AGREED, "table:agencies"}, decided)


@cache
def _stated(source: str) -> tuple[str, frozenset[str]]:
    """What the contract of ``source`` states, without its words, and what its rows are judged by besides."""
    contract = load_contract(source)
    rules = [_without_words(rule.model_dump(mode="json")) for rule in contract.all_rules]
    stated = json.dumps([_without_words(contract.model_dump(mode="json", exclude={"rules"})), rules], sort_keys=True)
    concerns = {INTAKE, *(f"kind:{rule.kind.key}" for rule in contract.all_rules), *_tables_of(stated)}
    if layouts := layouts_of(contract):
        # Spelled-out cells are looked up.
        concerns |= {LAYOUTS, *(f"layout:{name}" for name in layouts), "table:spellings"}
    return stated, frozenset(concerns)


def words_digest() -> str:
    """Of the definitions' files whole, of what is known of printed reports, and of all that publishes: readers get new words, tables and columns too."""
    return digest_of({PUBLICATION})


def _tables_of(text: str) -> set[str]:
    names = {name or other for name, other in _TABLES.findall(text)}
    return {f"table:{TABLE_FILES.get(name, name)}" for name in names}


def _without_words(stated: Any) -> Any:
    if isinstance(stated, dict):
        return {name: _without_words(value) for name, value in stated.items() if name not in WORDS_OF_A_CONTRACT}
    return [_without_words(value) for value in stated] if isinstance(stated, list) else stated
