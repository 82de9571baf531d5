"""The process in which native code reads delivered files: started by ``reader.py``, ended with it.

One request a line on standard input, one answer a line on standard output, both JSON. It has no key, no network to ask and no warehouse.
It sets its own limits before it loads any reader, so that nothing runs between a fork and an exec of the process above.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warehouse.landing.refusal import DeliveryRefused
from warehouse.landing.workbook_facts import Positions
from warehouse.store.disk import is_full


def main() -> None:
    """Answers until standard input ends. Arguments: bytes of memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit = int(sys.argv[1])
    # Data, not address space: readers reserve room that they never use. No core: it would hold personal data.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a reader prints is no answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    _limit_processor_time(request.pop("seconds"))
    try:
        return {"done": _READERS[request.pop("reader")](**request)}
    except DeliveryRefused as refused:
        return {"refused": [refused.code, refused.message, refused.message_id]}
    except OSError as problem:
        return {"errno": problem.errno, "text": str(problem)}
    except MemoryError:
        return {"died": "memory"}
    except Exception as problem:
        if is_full(problem):
            return {"errno": errno.ENOSPC, "text": str(problem)}
        # Its own words may quote a cell.
        return {"died": type(problem).__name__}


def _limit_processor_time(seconds: int) -> None:
    """So that it ends also where nobody waits for it any more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def _xlsx(path: str, name: str, columns: list[str], part: str, layouts: list[dict[str, Any]]) -> dict[str, Any]:
    from warehouse.landing.xlsx_file import land_xlsx  # noqa: PLC0415

    found = land_xlsx(Path(path), name, columns, Path(part), [Positions(**layout) for layout in layouts])
    return found._asdict()


def _sheets(path: str, name: str, folder: str) -> list[tuple[str, str, int, bool]]:
    from warehouse.landing.xlsx_file import write_sheets  # noqa: PLC0415

    return [(s.name, s.file, s.left, s.is_hidden) for s in write_sheets(Path(path), name, Path(folder))]


def _parquet(path: str, name: str, columns: list[str], part: str, spool: str, threads: int) -> int:
    from warehouse.landing.parquet_file import land_parquet  # noqa: PLC0415
    from warehouse.landing.session import open_session  # noqa: PLC0415

    with open_session(Path(spool), threads) as connection:
        return land_parquet(connection, Path(path), name, columns, Path(part))


_READERS: dict[str, Callable[..., Any]] = {"xlsx": _xlsx, "sheets": _sheets, "parquet": _parquet}

if __name__ == "__main__":
    main()
