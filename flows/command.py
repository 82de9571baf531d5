"""How a command is declared: its group, its place there, its examples. A file in ``flows/commands/`` declares one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Panel(StrEnum):
    """The groups of commands, in the order of showing, in the help and in docs/commands.md."""

    BEGINNING = "Beginning"
    EVERY_NIGHT = "Every night"
    READING = "Reading"
    TRACING = "Tracing"
    CHECKING = "Checking"
    KEEPING = "Keeping"


@dataclass(frozen=True)
class Declared:
    """A command: what it does, in which group it stands and where among them, and its examples."""

    function: Callable[..., None]
    panel: Panel
    place: int
    examples: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.function.__name__


def command(*examples: str, panel: Panel, place: int) -> Callable[[Callable[..., None]], Declared]:
    """Declares a command, which is named as the function is."""

    def declare(function: Callable[..., None]) -> Declared:
        return Declared(function, panel, place, examples)

    return declare
