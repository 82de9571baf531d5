"""``kpi`` and scripts in processes of their own, forked from one that has imported what they need: importing is most of what a command costs.

A forked process is a process: it has its exit code, its signals, its terminal. What it does not show is how a command starts: its imports, its
options of Python, its time until the first line. Tests of those start Python themselves.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

# Prefect is not among them: it reads the environment as it is imported.
_PRELOADED = (
    "great_expectations.expectations",
    "warehouse.runs.doctor",
    "warehouse.runs.pipeline",
    "flows.cli",
    "tests.processes",
)
KPI = [sys.executable, "-c", "from flows.cli import main; main()"]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(_PRELOADED))
SECONDS = 300


def kpi(*arguments: str, home: Path | None = None, **changes: str) -> CompletedProcess[str]:
    """The command, as in a shell without any setting of ours or Prefect's but ``changes``; ``home`` is KPI_HOME."""
    changes |= {} if home is None else {"KPI_HOME": str(home)}
    return _finished(_command, ["kpi", *arguments], changes)


def fresh_kpi(*arguments: str, home: Path | None = None) -> CompletedProcess[str]:
    """The command in a process that Python starts for it alone: for what is asked of its start."""
    environment = _environment({} if home is None else {"KPI_HOME": str(home)})
    return subprocess.run([*KPI, *arguments], capture_output=True, text=True, env=environment, check=False)


def script(code: str, *arguments: str | Path, **changes: str) -> CompletedProcess[str]:
    """``python -c CODE ARGUMENTS``."""
    return _finished(_code, [code, *map(str, arguments)], changes)


def begun(*arguments: str, home: Path, log: Path, **changes: str) -> Any:
    """The command as it goes on, in a session of its own, all that it says in ``log``: a process of multiprocessing."""
    environment = _environment(changes | {"KPI_HOME": str(home)})
    log.touch()
    streams = (os.devnull, str(log), str(log))
    process = _FORKS.Process(target=_run, args=(_command, ["kpi", *arguments], environment, Path.cwd(), *streams))
    process.start()
    return process


def started(*arguments: str, terminal: str) -> Any:
    """The command on a terminal (its path), as it begins: a process of multiprocessing."""
    environment = {name: value for name, value in _environment({}).items() if name != "COLUMNS"}
    streams = (terminal, terminal, terminal)
    process = _FORKS.Process(target=_run, args=(_command, ["kpi", *arguments], environment, Path.cwd(), *streams))
    process.start()
    return process


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("KPI_", "PREFECT_"))}
    return ours | changes


def _finished(
    what: Callable[[list[str]], None], arguments: list[str], changes: Mapping[str, str]
) -> CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _FORKS.Process(
            target=_run, args=(what, arguments, _environment(changes), Path.cwd(), os.devnull, str(out), str(err))
        )
        process.start()
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        return CompletedProcess(arguments, process.exitcode, out.read_text(), err.read_text())


def _run(
    what: Callable[[list[str]], None], arguments: list[str], environment: dict[str, str], folder: Path, *streams: str
) -> None:
    """In the child: takes on what a process of its own would have, then the work."""
    os.setsid()
    for number, stream in enumerate(streams):
        opened = os.open(stream, os.O_RDONLY if number == 0 else os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    what(arguments)
    sys.stdout.flush()


def _command(arguments: list[str]) -> None:
    from flows.cli import main

    sys.argv = arguments
    main()


def _code(arguments: list[str]) -> None:
    code, *rest = arguments
    sys.argv = ["-c", *rest]
    exec(code, {"__name__": "__main__"})
