"""A contract as another release states it: its text is changed before it is read, for everybody who asks for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import expectations.contract
from expectations.contract import load_contract
from warehouse.facts import digests

NEW_COLUMN = """  - name: catatan
    column: remark
    type: text
    description: {id: "catatan", en: "a remark"}
"""


class _Changed:
    """The folder of contracts, with one file of another text."""

    def __init__(self, folder: Path, source: str, change: Callable[[str], str]) -> None:
        self.folder, self.source, self.change = folder, source, change

    def joinpath(self, *names: str) -> "_Changed | Path":
        file = self.folder.joinpath(*names)
        return _Changed(file, self.source, self.change) if names == (f"{self.source}.yml",) else file

    def iterdir(self) -> Iterator[Path]:
        return self.folder.iterdir()

    def read_text(self, encoding: str) -> str:
        text = self.folder.read_text(encoding=encoding)
        assert self.change(text) != text
        return self.change(text)


@contextmanager
def changed_contract(source: str, change: Callable[[str], str]) -> Iterator[None]:
    """``change`` of the contract's YAML is in force in the block."""
    as_it_is = expectations.contract.files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expectations.contract, "files", lambda package: _Changed(as_it_is(package), source, change))
        _forget()
        try:
            yield
        finally:
            patch.undo()
            _forget()


def _forget() -> None:
    load_contract.cache_clear()
    digests._stated.cache_clear()


def with_column(text: str, column: str = NEW_COLUMN) -> str:
    """One more column, before the rules."""
    return text.replace("rules:\n", f"{column}rules:\n", 1)
