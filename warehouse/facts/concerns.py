"""What each file of the product can change: the numbers of which items, how rows of which sources are taken in, what is published.

A fingerprint is a digest of all files of its concerns, so that a file that is added to a room is in one before anybody thinks of it.
"""

import hashlib
from collections.abc import Collection
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import Path

ROOMS = ("flows", "warehouse", "expectations", "transforms")
# What the product is made of; an editor may leave other files beside them.
SUFFIXES = (".py", ".sql", ".yml", ".csv", ".j2")
NOTHING: tuple[str, ...] = ()
DERIVATION, SERVICES, INDICATORS, RESULTS, SCORES = "derivation", "services", "indicators", "results", "scores"
# What stands in for a value that has no row, and what offices have printed: of the indicators and the scores.
AGREED = "agreed"
# How delivered rows become states and quarantined rows; LAYOUTS: those that come in another shape than the agreed one.
INTAKE, LAYOUTS = "intake", "layouts"
RECONCILIATION, PUBLICATION = "reconciliation", "publication"
# Known by what they state (see digests): their words and remarks change no number.
STATED = "stated"

# The first pattern that fits a file says what it concerns; ``{stem}`` is its name without the ending.
CONCERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # -- what the numbers mean
    ("transforms/indicators/*.sql", (STATED, PUBLICATION)),
    ("transforms/indicators/*.yml", (STATED, PUBLICATION)),
    ("transforms/services/*_states.sql", ("service:{stem}",)),
    ("transforms/services/*", (SERVICES,)),
    ("transforms/results/*.py", (RESULTS, PUBLICATION)),
    ("transforms/results/*", (STATED, PUBLICATION)),
    ("transforms/facts/kpi_values.yml", (INDICATORS, PUBLICATION)),
    ("transforms/facts/service_summary.yml", (SERVICES, PUBLICATION)),
    ("transforms/facts/kpi_scores.yml", (SCORES, PUBLICATION)),
    ("transforms/facts/*", (DERIVATION, PUBLICATION)),
    ("transforms/scoring/*", (SCORES,)),
    ("transforms/reference/published_*", (RECONCILIATION,)),
    ("transforms/reference/known_discrepancies*", (RECONCILIATION, PUBLICATION)),
    ("transforms/reference/waivers.yml", (AGREED, RECONCILIATION)),
    ("transforms/reference/*.csv", ("table:{stem}",)),
    ("transforms/reference/*", (DERIVATION, INTAKE)),
    ("transforms/printed*.py", (RECONCILIATION, PUBLICATION)),
    ("transforms/reported.py", (AGREED,)),
    ("transforms/evaluate.py", (INDICATORS,)),
    ("transforms/evidence.py", (INDICATORS,)),
    ("transforms/odd_text.py", (INTAKE,)),
    ("transforms/names.py", NOTHING),  # which name may have been meant: words
    ("transforms/sql.py", (DERIVATION, INTAKE)),
    ("transforms/*", (DERIVATION,)),
    # -- what must be true
    ("expectations/contracts/layouts/*", ("layout:{stem}",)),
    ("expectations/contracts/*.yml", (STATED,)),
    ("expectations/layout.py", (LAYOUTS,)),
    ("expectations/kinds/__init__.py", (INTAKE,)),
    ("expectations/kinds/*", ("kind:{stem}",)),
    ("expectations/reconciliation.py", (RECONCILIATION,)),
    ("expectations/printed_*.py", (RECONCILIATION,)),
    ("expectations/suite.py", NOTHING),  # judges a second time: it stops a run, and changes nothing
    ("expectations/corrections.py", NOTHING),  # an applied entry is a delivery, archived as any other
    ("expectations/words.py", NOTHING),
    ("expectations/remedy.py", NOTHING),
    ("expectations/report/*", NOTHING),
    ("expectations/*", (INTAKE,)),
    # -- where it is kept
    ("warehouse/store/settings.py", (DERIVATION, INTAKE)),
    ("warehouse/loading/batch.py", (INTAKE,)),
    ("warehouse/loading/judged_rows.py", (INTAKE,)),
    ("warehouse/loading/same_records.*", (INTAKE,)),
    ("warehouse/loading/checks.py", (INTAKE,)),
    ("warehouse/loading/close_mended_rows.sql", (INTAKE,)),
    ("warehouse/loading/mark_years.sql", (INTAKE,)),
    ("warehouse/loading/*", NOTHING),  # in which order, whether it is known, what a clerk is told
    ("warehouse/facts/derive.py", (SERVICES, INDICATORS)),
    ("warehouse/facts/results.py", (RESULTS,)),
    ("warehouse/facts/read_targets.sql", (INDICATORS,)),
    ("warehouse/facts/agreed.py", (AGREED,)),
    ("warehouse/facts/read_printed.sql", (AGREED,)),
    ("warehouse/facts/scores.py", (SCORES,)),
    ("warehouse/facts/budget_in_force.sql", (SCORES,)),
    ("warehouse/facts/year_values.sql", (SCORES,)),
    ("warehouse/facts/changed_values.sql", (SCORES,)),
    *(  # what is due and why, and what a run has changed: when a number is made, not which
        (f"warehouse/facts/{name}", NOTHING)
        for name in (
            "plan.py", "concerns.py", "digests.py", "changes.py", "changes_of_run.sql", "settle_partitions.sql", "note_derivations.sql",
            "pending_partitions.sql",
        )
    ),
    ("warehouse/facts/*", (DERIVATION,)),
    ("warehouse/reconciliation/*", (RECONCILIATION,)),
    ("warehouse/publication/*", (PUBLICATION,)),
    ("warehouse/landing/*", NOTHING),  # the archive stands as it was landed; later deliveries are landed by the new code
    ("warehouse/store/*", NOTHING),  # home, lock, key, ledger and its migrations: they keep
    ("warehouse/runs/*", NOTHING),  # the order of steps, closed years, purge, doctor
    ("warehouse/reading/*", NOTHING),  # these three and flows tell what is known
    ("warehouse/trace/*", NOTHING),
    ("warehouse/reports/*", NOTHING),
    ("warehouse/__init__.py", NOTHING),
    ("flows/*", NOTHING),
)  # fmt: skip


def concerns_of(file: str) -> tuple[str, ...]:
    """What a file (its path from the root of the packages) can change; one that no pattern fits may change everything."""
    stem = Path(file).stem
    stated = next((concerns for pattern, concerns in CONCERNS if fnmatch(file, pattern)), (DERIVATION, INTAKE))
    return tuple(concern.format(stem=stem) for concern in stated)


@cache
def product_files() -> dict[str, tuple[str, ...]]:
    """Every file of the product by its path, with what it concerns; in order."""
    found: list[str] = []
    for room in ROOMS:
        root = Path(str(files(room)))
        found += [
            f"{room}/{path.relative_to(root).as_posix()}"
            for path in root.rglob("*")
            if path.suffix in SUFFIXES and not path.name.startswith(".")
        ]
    return {file: concerns_of(file) for file in sorted(found)}


@cache
def text_digest(file: str) -> str:
    room, _, rest = file.partition("/")
    return hashlib.sha256(files(room).joinpath(rest).read_bytes()).hexdigest()


def digest_of(concerns: Collection[str], *stated: str) -> str:
    """Of every file that concerns any of these, by name and text, and of what is ``stated`` besides."""
    wanted = frozenset(concerns)
    parts = [
        f"{file}\0{text_digest(file)}"
        for file, concerned in product_files().items()
        if not wanted.isdisjoint(concerned)
    ]
    return hashlib.sha256("\0".join([*parts, *stated]).encode()).hexdigest()
