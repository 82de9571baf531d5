"""The application ``kpi``: its commands in groups, its help as plain text with examples (rich would double the time it takes)."""

import pkgutil
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from flows import commands
from flows.command import Declared, Panel

PACKAGE = "kanreg-kpi"


def declared_commands() -> list[Declared]:
    """The commands that the files of ``flows/commands/`` declare, in the order of showing."""
    modules = (import_module(f"{commands.__name__}.{file.name}") for file in pkgutil.iter_modules(commands.__path__))
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Declared)]
    panels = list(Panel)
    return sorted(found, key=lambda each: (panels.index(each.panel), each.place, each.name))


COMMANDS = declared_commands()
PANELS = {panel: tuple(each.name for each in COMMANDS if each.panel is panel) for panel in Panel}
ORDER = tuple(each.name for each in COMMANDS)


class Command(TyperCommand):
    """A command whose epilog is its examples, one a line."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Group(TyperGroup):
    """The commands by panel, each with its first sentence whole."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        widest = max(map(len, self.commands))
        for panel, names in PANELS.items():
            with formatter.section(panel):
                formatter.write_dl(
                    [(name.ljust(widest), first_sentence(self.commands[name].help or "")) for name in names]
                )


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="From a regional civil-service office's service logs to KPI values that stand up to an audit.",
    epilog="`kpi COMMAND --help` says everything about a command, with examples.",
)


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence."""
    return " ".join(text.split()).split(". ")[0].rstrip(".") + "."


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415

        print(f"{PACKAGE} {version(PACKAGE)} (duckdb {version('duckdb')}, Python {sys.version.split()[0]})")
        raise typer.Exit


@app.callback()
def everything(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Only options of the command as a whole stand here; the help is the application's."""


for each in COMMANDS:
    app.command(cls=Command, epilog="\n".join(each.examples))(each.function)
