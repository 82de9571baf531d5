"""What the commands share: options, exit codes, and how days and years are written."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from transforms.periods import FIRST_YEAR, LAST_YEAR

EXIT_GATE, EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_NAMED = 1, 2, 3, 4


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    csv = "csv"
    tsv = "tsv"
    md = "md"
    xlsx = "xlsx"
    json = "json"


class Verdict(StrEnum):
    """Of a printed number against the derived one, in the order of showing."""

    different = "different"
    waived = "waived"
    restated = "restated"
    known = "known"
    rounding = "rounding"
    equal = "equal"
    no_counterpart = "no_counterpart"


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the installation. [default: KPI_HOME, else ./data]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="One of table, csv, tsv, md, xlsx, json. [default: table on a terminal, tsv in a pipe]",
    ),
]
WideOption = Annotated[bool, typer.Option("--wide", help="Print every column, however wide the terminal is.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask. Only a terminal is asked.")]
YearOption = Annotated[int, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="The year.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="As known at the end of this day.")]
ItemArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="IKU-06, promotion.two_day, 'promotion|Sumatera Selatan', NPSS, SS2, 'survey|layanan|2024-S1|MUTASI|U3', 'agency|IKU-02|2024|5500'.",
    ),
]
PeriodOption = Annotated[
    str | None,
    typer.Option(
        help="2024, 2024-Q3, 2024-S1, or the date of a promotion period; the name of a row of a table says it itself."
    ),
]

PretendDay = Annotated[
    str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Pretend that today is this day.")
]
PretendFuture = Annotated[
    bool,
    typer.Option("--pretend-future", help="The day may be yet to come: in a home that `kpi init --trial` has made."),
]


def home_of(home: Path | None) -> Path:
    return (home or Path(os.environ.get("KPI_HOME") or "data")).resolve()


def chosen_format(as_format: Format | None, as_json: bool) -> Format:
    """Unless one is named: a table where a person looks, tab-separated where a program reads. Raises ValueError for two."""
    if as_json and as_format not in (None, Format.json):
        raise ValueError(f"say either --json or --format {as_format}")
    if as_json:
        return Format.json
    return as_format or (Format.table if sys.stdout.isatty() else Format.tsv)


def is_asked(yes: bool) -> bool:
    """Whether a person sits at both ends, to be asked; a schedule or a pipe is not."""
    return not yes and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def exit_codes(tell: Callable[[int, str], None] = lambda code, message: None) -> Iterator[None]:
    """Turns what stops a command into its exit code and one plain message on standard error; ``tell`` hears both before."""
    from expectations.suite import EngineError  # noqa: PLC0415
    from flows.prefect_runtime import PrefectServerError  # noqa: PLC0415
    from transforms.odd_text import printable  # noqa: PLC0415
    from warehouse.landing.refusal import DeliveryRefused  # noqa: PLC0415
    from warehouse.store.failures import EnvironmentProblem, GateFailed, WrongUsage  # noqa: PLC0415
    from warehouse.store.stopping import SIGNAL_CODES, last_words, noted, stoppable  # noqa: PLC0415

    def _stop(code: int, message: str) -> NoReturn:
        tell(code, message)
        # A message may name a file, whose name must not steer the terminal.
        print("kpi: " + "\n".join(map(printable, message.splitlines())), file=sys.stderr)
        raise typer.Exit(code)

    try:
        with stoppable():
            yield
    except KeyboardInterrupt:
        tell(SIGNAL_CODES + (noted() or signal.SIGINT), last_words())
        raise
    except (GateFailed, EngineError, DeliveryRefused) as failure:
        _stop(EXIT_GATE, str(failure))
    except (WrongUsage, ValueError, KeyError) as failure:
        _stop(EXIT_USAGE, str(failure.args[0] if isinstance(failure, KeyError) else failure))
    except BrokenPipeError:
        # The reader of our output has seen enough (`kpi values | head`).
        raise typer.Exit(0) from None
    except (EnvironmentProblem, PrefectServerError, OSError) as failure:
        _stop(EXIT_ENVIRONMENT, str(failure))
    except typer.Exit:
        raise
    except Exception as failure:
        # A fault of the product: its stack is shown.
        tell(EXIT_GATE, f"{type(failure).__name__}: {failure}")
        raise


def exit_if_named(report: dict[str, Any]) -> None:
    """Exit 4 where the work is done and published, and refused deliveries or contested numbers are named."""
    if report.get("refused") or report["contested"]:
        raise typer.Exit(EXIT_NAMED)


def note_if_empty(rows: Sequence[object], what: str, remedy: str) -> None:
    """An empty answer says so on standard error, and where to look; what is printed stays what it is."""
    if not rows:
        note(f"nothing is known of {what}; {remedy}")


def note(sentence: str) -> None:
    print(f"kpi: {sentence}", file=sys.stderr)


def parse_years(text: str) -> list[int]:
    """``2024`` or ``2020..2024``. Raises ValueError that says these forms."""
    first, separator, last = text.partition("..")
    try:
        years = list(range(int(first), min(int(last if separator else first), LAST_YEAR + 1) + 1))
    except ValueError:
        years = []
    if not years or not FIRST_YEAR <= years[0] <= years[-1] <= LAST_YEAR:
        raise ValueError(f"not a year or a span of years: {text!r}; use 2024 or 2020..2024")
    return years


def parse_day(text: str | None) -> date | None:
    """A day, or None. Raises ValueError that says the form."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not a day: {text!r}; use yyyy-mm-dd") from None


def pretended_day(text: str | None, pretend_future: bool) -> date | None:
    """The day that a run takes for today. Raises WrongUsage for one that is yet to come, where that is not asked for."""
    from transforms.periods import clock_now  # noqa: PLC0415
    from warehouse.store.runs import yet_to_come  # noqa: PLC0415

    day = parse_day(text)
    if day is not None and day > clock_now().date() and not pretend_future:
        raise yet_to_come(day)
    return day
