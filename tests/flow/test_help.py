"""The help: commands in groups, whole sentences, examples that work, the version, completion."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from flows import commands
from flows.app import ORDER, PANELS, app, declared_commands, first_sentence
from tests.processes import kpi

GROUP = typer.main.get_command(app)
EXAMPLES = [(name, line) for name in ORDER for line in (GROUP.commands[name].epilog or "").splitlines()]


def test_every_command_stands_in_one_group_with_its_first_sentence_whole() -> None:
    assert sorted(ORDER) == sorted(GROUP.commands)
    shown = kpi("--help").stdout
    words = " ".join(shown.split())
    for panel, names in PANELS.items():
        assert f"\n{panel}:\n" in shown
        for name in names:
            assert f"{name} {first_sentence(GROUP.commands[name].help)}" in words
    assert "..." not in shown.replace("[ARGS]...", "")


@pytest.mark.parametrize("name", ORDER)
def test_every_command_has_examples_in_its_help(name: str) -> None:
    examples = [line for found, line in EXAMPLES if found == name]
    assert examples
    shown = kpi(name, "--help").stdout
    assert "Examples:" in shown and all(f"  {line}\n" in shown for line in examples)


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_what_the_command_takes(name: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    assert words[:2] == ["kpi", name]
    GROUP.commands[name].make_context(name, words[2:])


def test_the_version() -> None:
    shown = kpi("--version")
    assert shown.returncode == 0
    assert shown.stdout.startswith("kanreg-kpi 0.2.0 (duckdb ")


def test_completion_installs_itself_and_completes(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = Path(sys.executable).with_name("kpi")
    # From a shell, as a person does: the command asks the processes above it which one that is.
    typed = f"{shlex.quote(str(command))} --install-completion; exit $?"
    done = subprocess.run(["bash", "-c", typed], env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    script = tmp_path / ".bash_completions" / "kpi.sh"
    asked = f'source {script}; COMP_WORDS=(kpi re) COMP_CWORD=1; _kpi_completion kpi re kpi; echo "${{COMPREPLY[@]}}"'
    path = f"{command.parent}:{os.environ['PATH']}"
    shown = subprocess.run(
        ["bash", "-c", asked], env={**environment, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert set(shown.stdout.split()) == {"revisions", "reconcile", "reproduce", "restate"}


SHOWN = [
    (page.name, line.strip())
    for page in sorted((Path(__file__).parents[2] / "docs" / "how-to").glob("*.md"))
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("    .venv/bin/kpi ")
]


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_a_command_of_a_how_to_is_one_and_names_its_home(page: str, line: str) -> None:
    for part in line.split(" && "):
        words = shlex.split(part, comments=True)
        assert words[0] == ".venv/bin/kpi"
        context = GROUP.commands[words[1]].make_context(words[1], words[2:])
        assert words[1] == "validate" or str(context.params["home"]).startswith("data/")


def test_a_new_command_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greet.py").write_text(
        "from flows.command import Panel, command\n\n"
        '@command("kpi greet", panel=Panel.READING, place=2)\ndef greet() -> None:\n    "Greet."\n'
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    names = [each.name for each in declared_commands()]
    assert sorted(names) == sorted([*ORDER, "greet"])
    assert names[names.index("values") :][:4] == ["values", "greet", "services", "scores"]
