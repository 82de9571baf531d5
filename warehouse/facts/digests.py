"""Fingerprints of what says how a number comes about, so that a run knows which numbers a change concerns."""

import hashlib
import json
from functools import cache
from importlib.resources import files

from transforms.definitions import Grounded, Indicator, Version, load_indicators
from transforms.evidence import version_in_force
from transforms.facts import FactTable
from transforms.printed import documented
from transforms.services import load_services

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
# What the derivation of every item shares. What a report printed concerns the reconciliation alone.
SHARED_CODE = ("transforms", "transforms.services", "transforms.reference")
PRINTED = ("published_", "known_discrepancies")
SCORING = "transforms.scoring"
DEFINITIONS = "transforms.indicators"
PUBLISHED = "warehouse.publication.declared"
DECLARED = ("transforms.facts", "transforms.results")


def definition_digest(indicator: Indicator, version: Version) -> str:
    """Of an indicator under one version: its own facts change with it, and no others."""
    said = indicator.model_dump(mode="json", exclude=WORDS) | {
        "version": version.model_dump(mode="json", exclude={"changed", *GROUNDS})
    }
    return _of(json.dumps(said, sort_keys=True))


def service_digest() -> str:
    return _of(load_services().definition_version)


@cache
def scoring_digest() -> str:
    return _of(*_texts(SCORING))


@cache
def shared_code_digest() -> str:
    """Of the code and the reference data that every item rests on."""
    return _of(*(text for package in SHARED_CODE for text in _texts(package) if not _is_printed(text)))


def code_digest(indicator: Indicator) -> str:
    """Of the evidence query, with what all items share."""
    return _of(indicator.sql, shared_code_digest())


def result_digest(table: FactTable, year: int) -> str:
    """Of a table of results in a year: what its rows are by its declaration, words left out, and the indicators whose evidence it reads."""
    said = table.model_dump(mode="json", include={"key", "derivation"}) | {"columns": table.ddl}
    versions = [(indicator, version_in_force(indicator, year)) for indicator in _evidence_of(table)]
    rests_on = [definition_digest(indicator, version) for indicator, version in versions if version is not None]
    return _of(json.dumps(said, sort_keys=True), *rests_on)


def result_code_digest(table: FactTable) -> str:
    """Of its query and those of the evidence that it reads, with what all items share."""
    return _of(table.sql, *(indicator.sql for indicator in _evidence_of(table)), shared_code_digest())


def _evidence_of(table: FactTable) -> list[Indicator]:
    """The indicators whose evidence the table reads, each once."""
    named = {evidence.indicator for evidence in table.derivation.evidence} if table.derivation else set()
    return [indicator for indicator in load_indicators() if indicator.id in named]


def printed_digest(decided: str) -> str:
    """Of what reports print and what is known of it, with what is ``decided`` in the installation: the reconciliation is made anew where it differs."""
    return _of(_printed_texts(), decided)


@cache
def _printed_texts() -> str:
    return _of(*(text for package in ("transforms.reference", "expectations") for text in _texts(package)))


def words_digest() -> str:
    """Of the definitions' files whole, of what is known of printed reports, and of what is declared of the published tables: readers get new
    words and columns too."""
    declared = (text for package in (DEFINITIONS, PUBLISHED, *DECLARED) for text in _texts(package))
    return _of(documented().model_dump_json(), *declared)


def _texts(package: str) -> list[str]:
    found = sorted((file for file in files(package).iterdir() if file.is_file()), key=lambda file: file.name)
    return [f"{file.name}\0{file.read_text(encoding='utf-8')}" for file in found if not file.name.endswith(".pyc")]


def _is_printed(text: str) -> bool:
    return text.startswith(PRINTED)


def _of(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
