"""The command ``kpi``. Starts fast: everything heavy is imported by the command that needs it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from enum import StrEnum
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


class By(StrEnum):
    year = "year"
    period = "period"
    region = "region"
    agency = "agency"


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the installation; default KPI_HOME, else ./data.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="As known at the end of this day.")]


def _home(home: Path | None) -> Path:
    if home is not None:
        return home.resolve()
    from flows.settings import Settings  # noqa: PLC0415

    return Settings().home.resolve()


@contextmanager
def _exit_codes() -> Iterator[None]:
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
    print(f"kpi: {message}", file=sys.stderr)
    raise typer.Exit(code)


@app.command()
def sample(
    years: Annotated[str, typer.Option(help="A year or a span, such as 2024 or 2020..2024.")] = "2024",
    scale: Annotated[int, typer.Option(min=1, help="Multiplies the proposal logs; 1 gives the published counts.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other records with the same counts.")] = 7,
    faults: Annotated[bool, typer.Option("--faults", help="Adds at least one row for every rule.")] = False,
    home: HomeOption = None,
) -> None:
    """Write deterministic sample deliveries into the inbox."""
    from flows.render import say  # noqa: PLC0415
    from sample_data import write_deliveries  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415

    with _exit_codes():
        place = Home(_home(home))
        place.make()
        written = write_deliveries(place.inbox, parse_years(years), scale, seed, faults)
        say(f"{len(written)} deliveries ({sum(f.stat().st_size for f in written) / 1e6:,.1f} MB) in {place.inbox}")


@app.command()
def run(
    home: HomeOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Pretend that today is this day.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the nightly flow: what is new in the inbox, through to publication."""
    from flows.command_run import run_nightly  # noqa: PLC0415
    from flows.render import print_json, print_report  # noqa: PLC0415

    with _exit_codes():
        report = run_nightly(_home(home), parse_day(as_of))
        (print_json if as_json else print_report)(report)
        if report["refused"]:
            raise typer.Exit(EXIT_REFUSED)


@app.command()
def serve(home: HomeOption = None) -> None:
    """Register the nightly schedule (01:00 Asia/Jakarta, one run at a time) with Prefect and serve it."""
    from flows.serving import serve_nightly  # noqa: PLC0415

    with _exit_codes():
        serve_nightly(_home(home))


@app.command()
def values(
    year: Annotated[int | None, typer.Option(help="All indicators of a year.")] = None,
    period: Annotated[str | None, typer.Option(help="2024, 2024-Q3 or 2024-S1.")] = None,
    indicator: Annotated[str | None, typer.Option(help="One indicator, such as IKU-06.")] = None,
    as_of: AsOf = None,
    office: Annotated[str | None, typer.Option(help="A peer's reported values, such as 03; default: our own.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the KPI values, as known now or on a day."""
    from flows.render import print_json, print_values  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_values  # noqa: PLC0415

    with _exit_codes():
        rows = read_values(Home(_home(home)), year, period, parse_day(as_of), indicator, office)
        (print_json if as_json else print_values)(rows)


@app.command()
def scores(
    year: Annotated[int, typer.Option(help="The year.")],
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the score of a year: capaian, NSS, NKP, NPSS, budget efficiency."""
    from flows.render import print_json, print_scores  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_scores  # noqa: PLC0415

    with _exit_codes():
        sheet = read_scores(Home(_home(home)), year, parse_day(as_of))
        if as_json:
            print_json(sheet.shape)
        else:
            print_scores(sheet)


@app.command()
def services(
    year: Annotated[int, typer.Option(help="The year.")],
    by: Annotated[By, typer.Option(help="Break the year down.")] = By.year,
    as_of: AsOf = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the service indicators: promotion, nip, pension."""
    from flows.render import print_json, print_services  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_services  # noqa: PLC0415

    with _exit_codes():
        rows = read_services(Home(_home(home)), year, by.value, parse_day(as_of))
        (print_json if as_json else print_services)(rows)


@app.command()
def reconcile(
    year: Annotated[int, typer.Option(help="The year of the report, or of the printed numbers.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is printed against what is derived, line by line."""
    from flows.render import RECONCILED, print_json, print_reconciliation  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415
    from warehouse.reading import read_reconciliation  # noqa: PLC0415

    with _exit_codes():
        rows = read_reconciliation(Home(_home(home)), year)
        if as_json:
            print_json([{name: row[name] for name in RECONCILED} for row in rows])
        else:
            print_reconciliation(rows)


@app.command()
def quarantine(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows that break this rule, such as PRM-05.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the rows that are held back: counts by rule, then file and row."""
    from dataclasses import asdict  # noqa: PLC0415

    from flows.render import print_held_rows, print_json  # noqa: PLC0415
    from warehouse.held_rows import read_held_rows  # noqa: PLC0415
    from warehouse.home import Home  # noqa: PLC0415

    with _exit_codes():
        place = Home(_home(home))
        rows = read_held_rows(place, source, reason)
        if as_json:
            print_json([asdict(row) for row in rows])
        else:
            print_held_rows(place, rows, source, reason)


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="The file to check.")],
    source: Annotated[str, typer.Option(help="The source whose contract it must keep.")],
    lang: Annotated[str, typer.Option(help="Language of the messages: id or en.")] = "id",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check one file against its contract; load nothing. Exit 0: every row is good; 1: it is not."""
    from flows.render import print_json, print_validation  # noqa: PLC0415
    from warehouse.validation import validate_file  # noqa: PLC0415

    with _exit_codes():
        result = validate_file(file, source, lang)
        if as_json:
            print_json(result)
        else:
            print_validation(result)
        if not result["ok"]:
            raise typer.Exit(EXIT_GATE)


@app.command()
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check the environment: versions, disk, locks, the last run, the freshness of every source."""
    from flows.render import print_checks, print_json  # noqa: PLC0415
    from warehouse.doctor import examine  # noqa: PLC0415

    with _exit_codes():
        checks = examine(_home(home))
        if as_json:
            print_json(checks)
        else:
            print_checks(checks)
        if any(check["verdict"] == "bad" for check in checks):
            raise typer.Exit(EXIT_ENVIRONMENT)


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


def main() -> NoReturn:
    """Entry point of the command ``kpi``. Leaves without Python's clean-up, in which DuckDB's binding writes pages of warnings."""
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
