"""What the commands share: the application, options, exit codes, and how days and years are written."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="From a regional civil-service office's service logs to KPI values that stand up to an audit.",
)

EXIT_GATE, EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_REFUSED = 1, 2, 3, 4


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the installation; default KPI_HOME, else ./data.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="As known at the end of this day.")]


def home_of(home: Path | None) -> Path:
    if home is not None:
        return home.resolve()
    from flows.settings import Settings  # noqa: PLC0415

    return Settings().home.resolve()


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turns what stops a command into its exit code and one plain message on standard error."""
    from expectations.suite import EngineError  # noqa: PLC0415
    from flows.prefect_runtime import PrefectServerError  # noqa: PLC0415
    from warehouse.failures import EnvironmentProblem, GateFailed, WrongUsage  # noqa: PLC0415
    from warehouse.refusal import DeliveryRefused  # noqa: PLC0415

    try:
        yield
    except (GateFailed, EngineError, DeliveryRefused) as failure:
        _stop(EXIT_GATE, str(failure))
    except (WrongUsage, ValueError, KeyError) as failure:
        _stop(EXIT_USAGE, str(failure.args[0] if isinstance(failure, KeyError) else failure))
    except BrokenPipeError:
        # The reader of our output has seen enough (`kpi values | head`).
        raise typer.Exit(0) from None
    except (EnvironmentProblem, PrefectServerError, OSError) as failure:
        _stop(EXIT_ENVIRONMENT, str(failure))


def _stop(code: int, message: str) -> NoReturn:
    from transforms.odd_text import printable  # noqa: PLC0415

    # A message may name a file, whose name must not steer the terminal.
    print("kpi: " + "\n".join(map(printable, message.splitlines())), file=sys.stderr)
    raise typer.Exit(code)


def note_if_empty(rows: Sequence[object], what: str, remedy: str) -> None:
    """An empty answer says so on standard error, and where to look; what is printed stays what it is."""
    if not rows:
        print(f"kpi: nothing is known of {what}; {remedy}", file=sys.stderr)


def parse_years(text: str) -> list[int]:
    """``2024`` or ``2020..2024``. Raises ValueError that says these forms."""
    first, separator, last = text.partition("..")
    try:
        years = list(range(int(first), int(last if separator else first) + 1))
    except ValueError:
        years = []
    if not years:
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
