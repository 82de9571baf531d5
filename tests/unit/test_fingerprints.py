"""Whatever decides a value is in its fingerprint: a file is changed, and exactly the items that it concerns are stale."""

from collections.abc import Callable
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import pytest

import expectations.contract
from expectations.contract import Contract, load_contract, source_names
from expectations.kinds import kinds
from expectations.layout import layouts_of
from transforms.definitions import load_indicators
from transforms.evidence import version_in_force
from transforms.facts import fact_table, result_tables
from transforms.services import load_services
from warehouse.facts import concerns, digests
from warehouse.facts.plan import SCORES, Item, all_items

ROOT = Path(__file__).parents[2]
SERVICES = {service.service for service in load_services().services}
INDICATORS = {indicator.id for indicator in load_indicators()}
ITEMS = {item.name: item for item in all_items()}
EVERY = set(ITEMS)
VALUES = INDICATORS | {SCORES}
RESULTS = {table.table for table in result_tables()}


def of(*sources: str) -> set[str]:
    """The items that count or read rows of these sources."""
    return {item.name for item in all_items() if {*item.sources, *item.shared} & set(sources)}


def with_layouts() -> set[str]:
    return {source for source in source_names() if layouts_of(load_contract(source))}


def with_kind(key: str) -> set[str]:
    return {
        source for source in source_names() if any(rule.kind.key == key for rule in load_contract(source).all_rules)
    }


# The first pattern that fits says which items are stale where the file is another.
STALE: list[tuple[str, set[str]]] = [
    ("transforms/services/promotion_states.sql", {"promotion"}),
    ("transforms/services/nip_states.sql", {"nip"}),
    ("transforms/services/pension_states.sql", {"pension"}),
    ("transforms/services/*", SERVICES),
    ("transforms/facts/kpi_values.yml", INDICATORS),
    ("transforms/facts/service_summary.yml", SERVICES),
    ("transforms/facts/kpi_scores.yml", {SCORES}),
    ("transforms/results/__init__.py", RESULTS),
    ("transforms/scoring/*", {SCORES}),
    ("transforms/evaluate.py", INDICATORS),
    ("transforms/evidence.py", INDICATORS),
    ("transforms/reported.py", VALUES),
    ("transforms/reference/waivers.yml", VALUES),
    ("transforms/reference/holidays.csv", SERVICES),
    # the logs' codes are looked up by their contracts, and their outcomes by the services
    ("transforms/reference/proposal_status.csv", of("promotion", "nip", "pension")),
    ("transforms/reference/offices.csv", of("promotion", "nip", "pension")),
    ("transforms/reference/promotion_months.csv", of("promotion")),
    ("transforms/reference/budget_programs.csv", of("budget")),
    ("transforms/reference/spellings.csv", of(*with_layouts())),
    (
        "transforms/reference/agencies.csv",
        of(
            "promotion",
            "nip",
            "pension",
            "integration",
            "supervision_recommendation",
            "nspk_assessment",
            "ip_asn_measurement",
        )
        | {"IKU-01", "IKU-02", "IKU-06"},
    ),
    ("transforms/*", EVERY),
    ("expectations/contracts/layouts/regional_office_workbook.yml", of("promotion")),
    ("expectations/contracts/layouts/service_pages.yml", of("promotion", "nip", "pension")),
    ("expectations/layout.py", of(*with_layouts())),
    *((f"expectations/kinds/{key}.py", of(*with_kind(key))) for key in kinds()),
    ("expectations/*", EVERY),
    ("warehouse/store/settings.py", EVERY),
    ("warehouse/loading/*", EVERY),
    ("warehouse/facts/derive.py", SERVICES | INDICATORS),
    ("warehouse/facts/results.py", RESULTS),
    ("warehouse/facts/read_targets.sql", INDICATORS),
    ("warehouse/facts/agreed.py", VALUES),
    ("warehouse/facts/read_printed.sql", VALUES),
    ("warehouse/facts/scores.py", {SCORES}),
    ("warehouse/facts/budget_in_force.sql", {SCORES}),
    ("warehouse/facts/year_values.sql", {SCORES}),
    ("warehouse/facts/changed_values.sql", {SCORES}),
    ("warehouse/facts/*", EVERY),
]
# They change no value: what is published, and how it is compared with what was printed, is made anew by digests of their own.
NO_VALUE = {concerns.PUBLICATION, concerns.RECONCILIATION}


def fingerprint(item: Item, load_version: Callable[[str], tuple[str, str]]) -> tuple[object, ...]:
    intakes = [digests.intake_of(source) for source in (*item.sources, *item.shared)]
    return (*load_version(item.name), *intakes)


def derivation(name: str) -> tuple[str, str]:
    if name == SCORES:
        return digests.scoring_digest(), digests.scoring_code_digest()
    if name in SERVICES:
        service = next(s for s in load_services().services if s.service == name)
        return digests.service_digest(), digests.service_code_digest(service)
    if name in RESULTS:
        return digests.result_digest(fact_table(name)), digests.result_code_digest(fact_table(name))
    indicator = next(i for i in digests.load_indicators() if i.id == name)
    version = version_in_force(indicator, 2024)
    assert version is not None
    return digests.definition_digest(indicator, version), digests.code_digest(indicator)


def fingerprints() -> dict[str, tuple[object, ...]]:
    return {name: fingerprint(item, derivation) for name, item in ITEMS.items()}


@pytest.fixture(scope="module")
def before() -> dict[str, tuple[object, ...]]:
    return fingerprints()


def stale(before: dict[str, tuple[object, ...]]) -> set[str]:
    return {name for name, found in fingerprints().items() if found != before[name]}


def test_every_file_of_the_product_says_what_it_concerns() -> None:
    assert concerns.product_files().keys() == {
        path.relative_to(ROOT).as_posix()
        for room in concerns.ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    nobody = [file for file in concerns.product_files() if not any(fnmatch(file, p) for p, _ in concerns.CONCERNS)]
    assert nobody == [], "say in warehouse/facts/concerns.py what they can change"


def test_no_pattern_is_left_that_fits_nothing() -> None:
    files = list(concerns.product_files())
    first = {next(p for p, _ in concerns.CONCERNS if fnmatch(file, p)) for file in files}
    assert {pattern for pattern, _ in concerns.CONCERNS} - first == set()


def test_a_changed_file_makes_stale_what_it_concerns_and_nothing_else(
    before: dict[str, tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = concerns.text_digest
    files = {file: set(found) - NO_VALUE for file, found in concerns.product_files().items()}
    wrong: dict[str, set[str]] = {}
    for file in [file for file, concerned in files.items() if concerned and concerns.STATED not in concerned]:
        monkeypatch.setattr(concerns, "text_digest", lambda f, file=file: "edited" if f == file else as_it_is(f))
        due = next((items for pattern, items in STALE if fnmatch(file, pattern)), set())
        if (found := stale(before)) != due:
            wrong[file] = found ^ due
    assert wrong == {}
    monkeypatch.setattr(concerns, "text_digest", lambda f: as_it_is(f) if files[f] else "edited")
    assert stale(before) == set()


def test_a_digest_is_of_the_files_bytes() -> None:
    file = "warehouse/facts/derive.py"
    assert concerns.text_digest(file) == sha256((ROOT / file).read_bytes()).hexdigest()


@pytest.mark.parametrize("source", source_names())
def test_a_contract_concerns_the_items_whose_sources_name_it(
    source: str, before: dict[str, tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = load_contract(source)
    assert stale_where(source, contract.model_copy(update={"year": f"{contract.year} + 0"}), before, monkeypatch) == of(
        source
    )
    column = contract.columns[0]
    words = column.description.model_copy(update={"en": "said otherwise"})
    said = [column.model_copy(update={"description": words}), *contract.columns[1:]]
    reworded = contract.model_copy(update={"title": words, "columns": said, "cadence_days": 999})
    assert stale_where(source, reworded, before, monkeypatch) == set()


def stale_where(
    source: str, changed: Contract, before: dict[str, tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> set[str]:
    with monkeypatch.context() as now:
        now.setattr(digests, "load_contract", lambda name: changed if name == source else load_contract(name))
        try:
            digests._stated.cache_clear()
            return stale(before)
        finally:
            digests._stated.cache_clear()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "expectations/contracts/shared").glob("*.yml")))
def test_a_shared_set_of_rules_concerns_the_contracts_that_name_it(
    name: str, before: dict[str, tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = expectations.contract._rule_set

    def changed(asked: str) -> tuple[object, ...]:
        rules = as_it_is(asked)
        return (rules[0].model_copy(update={"severity": "refuse"}), *rules[1:]) if asked == name else rules

    monkeypatch.setattr(expectations.contract, "_rule_set", changed)
    users = [source for source in source_names() if name in load_contract(source).rule_sets]
    digests._stated.cache_clear()
    try:
        assert users and stale(before) == of(*users)
    finally:
        digests._stated.cache_clear()


def test_a_definition_concerns_its_indicator_and_the_rows_that_name_indicators(
    before: dict[str, tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = load_indicators()
    for change, due in (
        ({"sql": f"{first.sql} -- another query"}, {first.id}),
        ({"decimals": first.decimals + 1}, {first.id}),
        ({"objective": "SS7"}, {first.id} | of("budget", "performance_agreement", "published_value")),
        ({"owner": "somebody else"}, set()),
    ):
        monkeypatch.setattr(
            digests, "load_indicators", lambda change=change: (first.model_copy(update=change), *others)
        )
        assert stale(before) == due


def test_what_is_compared_and_what_is_published_has_a_digest_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is, printed, words = concerns.text_digest, digests.printed_digest(""), digests.words_digest()
    wrong = []
    for file, concerned in concerns.product_files().items():
        monkeypatch.setattr(concerns, "text_digest", lambda f, file=file: "edited" if f == file else as_it_is(f))
        if concerns.RECONCILIATION in concerned and digests.printed_digest("") == printed:
            wrong.append(file)
        if (digests.words_digest() != words) != (concerns.PUBLICATION in concerned):
            wrong.append(file)
    assert wrong == []


def test_a_table_of_results_is_known_by_what_it_declares_and_by_its_query() -> None:
    table = result_tables()[0]
    definition, code = digests.result_digest(table), digests.result_code_digest(table)
    assert digests.result_digest(table.model_copy(update={"grain": "said otherwise"})) == definition
    assert digests.result_digest(table.model_copy(update={"key": table.key[1:]})) != definition
    assert digests.result_code_digest(table.model_copy(update={"sql": f"{table.sql} -- another"})) != code
