"""What the how-tos have their reader write is taken by the product as it stands there."""

import textwrap
from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Contract

HOW_TO = Path("docs/how-to/add-a-source.md").read_text(encoding="utf-8")


def written(first: str) -> dict[str, Any]:
    """The indented block of the how-to that begins so; it ends at an empty line."""
    begin = HOW_TO.rindex("\n", 0, HOW_TO.index(f"  {first}")) + 1
    found = yaml.safe_load(textwrap.dedent(HOW_TO[begin : HOW_TO.index("\n\n", begin)]))
    assert isinstance(found, dict)
    return found


def test_a_source_is_the_contract_and_the_faults_of_the_how_to() -> None:
    contract = Contract.model_validate(written("source: training_record"))
    declared = written("good:")
    assert set(declared["good"]) == set(contract.delivered_names)
    assert {rule for fault in declared["faults"] for rule in fault["rules"]} == {rule.id for rule in contract.all_rules}
