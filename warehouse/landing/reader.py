"""Workbooks and Parquet are read by native code, which a file can bring down: so a process of its own does it, under limits.

The process is started at the first such file and serves the ones after it. Where it dies, or takes too long, that file is
refused, and the next one gets a new process.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import warehouse
from warehouse.landing.refusal import DeliveryRefused, refusal
from warehouse.landing.workbook_facts import Positions, Sheet, WorkbookLanded

if TYPE_CHECKING:
    from expectations.layout import WorkbookLayout

# A sheet of a million rows and fifty columns needs half of it.
MEMORY_BYTES = 4 * 2**30
# What a file may take: a minute, and for every megabyte many times what an honest one needs.
LEAST_SECONDS, SECONDS_A_MEGABYTE, MOST_SECONDS = 60, 10, 900
_MOST_ANSWER_BYTES: Final = 2**24
_FORMATS: Final = {"xlsx": ".xlsx", "sheets": ".xlsx", "parquet": ".parquet"}


def land_xlsx(
    path: Path, name: str, columns: Sequence[str], part: Path, layouts: Mapping[str, WorkbookLayout]
) -> WorkbookLanded:
    """As ``xlsx_file.land_xlsx``. Raises DeliveryRefused, also where the reader died of the file; OSError for a full disk."""
    positions = [asdict(_positions(*named)) for named in layouts.items()]
    found = _ask("xlsx", path, name, columns=list(columns), part=str(part), layouts=positions)
    return WorkbookLanded(**found)


def write_sheets(path: Path, name: str, folder: Path) -> list[Sheet]:
    """As ``xlsx_file.write_sheets``. Raises as ``land_xlsx``."""
    return [Sheet(*sheet) for sheet in _ask("sheets", path, name, folder=str(folder))]


def land_parquet(path: Path, name: str, columns: Sequence[str], part: Path, spool: Path, threads: int) -> int:
    """As ``parquet_file.land_parquet``. Raises as ``land_xlsx``."""
    rows = _ask("parquet", path, name, columns=list(columns), part=str(part), spool=str(spool), threads=threads)
    return int(rows)


def _positions(name: str, layout: WorkbookLayout) -> Positions:
    return Positions(
        name,
        (layout.title.en, layout.title.id),
        layout.known_by.sheet if layout.known_by else None,
        layout.titles,
        layout.header_rows,
        layout.width,
        layout.last_used,
        layout.landed_names,
    )


def _ask(reader: str, path: Path, name: str, **request: object) -> Any:
    seconds = min(MOST_SECONDS, LEAST_SECONDS + SECONDS_A_MEGABYTE * path.stat().st_size // 2**20)
    text = json.dumps({"reader": reader, "path": str(path), "name": name, "seconds": seconds, **request})
    answer = _PROCESS.answer(text, seconds)
    if "done" in answer:
        return answer["done"]
    if "refused" in answer:
        raise DeliveryRefused(*answer["refused"])
    if "errno" in answer:
        raise OSError(answer["errno"], answer["text"])
    limit = f"{MEMORY_BYTES // 2**30} GiB, {seconds} s"
    raise refusal("unreadable.reader", name, format=_FORMATS[reader], limit=limit)


class _Process:
    """The one child of this process; one file at a time."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def answer(self, request: str, seconds: int) -> dict[str, Any]:
        """What the child says; empty where it died or said nothing in time. Whatever ends the wait ends the child."""
        with self._lock:
            child = self._child or self._start()
            line = b""
            try:
                assert child.stdin
                child.stdin.write(request.encode() + b"\n")
                child.stdin.flush()
                line = _line_of(child, time.monotonic() + seconds)
                answer: dict[str, Any] = json.loads(line)
                return answer
            except (BrokenPipeError, ValueError):
                line = b""
                return {}
            finally:
                if not line:
                    self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        """A fresh interpreter with nothing of our surroundings: no key, no path of modules but the product's own."""
        surroundings = {
            "PYTHONPATH": str(Path(warehouse.__file__).parents[1]),
            "PYTHONUTF8": "1",
            "POLARS_MAX_THREADS": "2",
        }
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "warehouse.landing.reader_child", str(MEMORY_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A reader that dies quotes what it read.
            stderr=subprocess.DEVNULL,
            env=surroundings | kept,
            # A terminal's Ctrl-C is for us: the file that is being read is not at fault.
            start_new_session=True,
        )
        return self._child

    def end(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue
            child.wait()


def _line_of(child: subprocess.Popen[bytes], until: float) -> bytes:
    """One line of the child's output; nothing where it ends, says too much, or lets the time pass."""
    assert child.stdout
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not said.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())) or len(said) > _MOST_ANSWER_BYTES:
                return b""
            piece = os.read(child.stdout.fileno(), 2**16)
            if not piece:
                return b""
            said += piece
    return said


_PROCESS = _Process()
atexit.register(_PROCESS.end)
