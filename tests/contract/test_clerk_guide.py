"""The clerk's guide in Indonesian (docs/id/panduan-pengirim.md) is true: columns, examples, commands, messages."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from expectations.contract import load_contract, source_names
from tests.processes import kpi
from warehouse.landing.refusal import MESSAGES
from warehouse.loading.validate_file import validate_file

GUIDE = Path(__file__).parents[2] / "docs" / "id" / "panduan-pengirim.md"
COMMAND = re.compile(r"\.venv/bin/kpi [^`\n]+")
# Stand in the guide for what the clerk puts there.
PLACEHOLDER = "BERKAS"


@cache
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


@cache
def sections() -> dict[str, str]:
    """Source -> its section."""
    return {
        m[1]: m[2] for m in re.finditer(r"^### (\w+): [^\n]+\n(.*?)(?=^### |\Z)", guide(), re.DOTALL | re.MULTILINE)
    }


def example(source: str) -> str:
    found = re.search(r"```csv\n(.*?)```", sections()[source], re.DOTALL)
    assert found, source
    return found[1]


def test_every_source_has_a_section() -> None:
    assert sorted(sections()) == sorted(source_names())


@pytest.mark.parametrize("source", source_names())
def test_the_columns_are_those_of_the_contract_and_the_example_is_good(source: str, tmp_path: Path) -> None:
    contract = load_contract(source)
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .*? \| (ya)? *\|$", sections()[source], re.MULTILINE)
    assert [(name, text, bool(required)) for name, text, required in rows] == [
        (column.name, column.description.id, column.required) for column in contract.columns
    ]
    assert f"inbox/{source}/" in sections()[source] and f"tiap {contract.cadence_days} hari" in sections()[source]
    file = tmp_path / "a.csv"
    file.write_text(example(source), encoding="utf-8")
    told = validate_file(file, source)
    assert (told["ok"], told["rows"], told["failures"]) == (True, 1, [])


def test_every_command_runs_and_the_answers_are_those_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = example("promotion")
    header, row = good.splitlines()
    file = tmp_path / "kp-maret-2024.csv"
    # No browser opens on the machine of whoever runs this.
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setenv("DISPLAY", "")
    monkeypatch.chdir(tmp_path)

    def answer_to(command: str) -> str:
        words = [
            file.name if word == PLACEHOLDER else "promotion" if word == "SUMBER" else word
            for word in shlex.split(command)
        ]
        shown = kpi(*words[1:], home=tmp_path / "data")
        assert shown.returncode in (0, 1), shown.stderr
        return shown.stdout

    commands = sorted(set(COMMAND.findall(guide())))
    assert len(commands) == 4
    # Pages of a run are there to be opened once a run has been.
    pages = tmp_path / "data" / "reports" / "validation"
    pages.mkdir(parents=True)
    (tmp_path / "data" / "inbox").mkdir()
    (pages / "run-000001.html").write_text("")
    file.write_text(good)
    for command in commands:
        answer_to(command)
    answer = f"kpi validate {file.name} --source promotion"
    assert answer_to(answer).strip() in guide()
    file.write_text(f"{header}\n{row}\n{row.replace('KP2024-0001', 'KP2024-0002').replace(',201,', ',21,')}\n")
    shown = answer_to(answer)
    for line in filter(str.strip, shown.splitlines()):
        assert line in guide(), line


def test_messages_that_the_guide_explains_are_real() -> None:
    table = guide().partition("## Kesalahan yang sering terjadi")[2].partition("\n## ")[0]
    told = re.findall(r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE)[1:]
    words = [re.sub(r"\{\w+\}", "#", text) for _, text in MESSAGES.values()]
    words += [rule.message.id for source in source_names() for rule in load_contract(source).all_rules]
    assert len(told) > 10
    for message in told:
        start = message.partition(" NIP = nip")[0]
        assert any(start in text for text in words), message
