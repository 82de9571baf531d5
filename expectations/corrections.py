"""Corrections as data: a known error of a delivery, what it should read, why, and who answers for it.

They stand in ``corrections.yml`` of the installation. An entry is guarded: it holds for the delivered value that it expects, and
for no other.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from yaml import YAMLError

from expectations.contract import load_contract, source_names
from transforms.names import did_you_mean
from transforms.yaml_text import MOST_BYTES, read_foreign_yaml

Text = Annotated[str, Field(min_length=1)]


class Correction(BaseModel):
    """One entry. ``key`` names the row by delivered columns: the key of the contract, with the state time where a key has several.

    ``expected`` is the delivered text (null: empty), ``corrected`` what it should read; the row is then taken in again as a correction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]
    source: Text
    key: dict[str, str]
    column: Text
    expected: str | None
    corrected: str | None
    reason: Text
    owner: Text

    @field_validator("key", mode="before")
    @classmethod
    def _as_text(cls, key: Any) -> Any:
        return {name: str(value) for name, value in key.items()} if isinstance(key, dict) else key

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        if self.source not in source_names():
            raise ValueError(f"{self.id}: there is no source {self.source!r}")
        contract = load_contract(self.source)
        known = set(contract.delivered_names)
        if unknown := sorted({*self.key, self.column} - known):
            raise ValueError(f"{self.id}: {self.source} has no column {', '.join(unknown)}")
        needed = {column.name for column in contract.columns if column.column in contract.key}
        if missing := sorted(needed - self.key.keys()):
            raise ValueError(f"{self.id}: the key of {self.source} also has {', '.join(missing)}")
        ordering = {column.name for column in contract.columns if column.column in contract.order_columns}
        if self.column in ordering:
            raise ValueError(f"{self.id}: {self.column} orders the states; a row of another time is another state")
        if self.column in needed:
            raise ValueError(f"{self.id}: {self.column} is part of the key; a row of another key is another row")
        if self.expected == self.corrected:
            raise ValueError(f"{self.id}: expected and corrected are the same")
        return self

    @property
    def content(self) -> str:
        """All that the entry says, as one text: it may hold a personal value, so only a keyed hash of it is kept."""
        return json.dumps(self.model_dump(), sort_keys=True)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    corrections: list[Correction]


def _read(file: Path, content: bytes) -> Any:
    try:
        return read_foreign_yaml(content)
    except YAMLError:
        raise
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"{file.name}: {problem}; see docs/how-to/correct-a-delivery.md") from None


def read_corrections(file: Path) -> list[Correction]:
    """The entries, in order; none where there is no file. Raises ValueError that says what is wrong with which."""
    if not file.exists():
        return []
    if not file.is_file():
        raise ValueError(f"{file.name}: this is no ordinary file; see docs/how-to/correct-a-delivery.md")
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        entries = _File.model_validate(_read(file, content)).corrections
    except OSError as problem:
        raise ValueError(f"{file.name}: it cannot be opened ({problem.strerror})") from None
    except YAMLError as problem:
        raise ValueError(f"{file.name}: it is not YAML; see docs/how-to/correct-a-delivery.md") from problem
    except ValidationError as problem:
        raise ValueError(f"{file.name}: {_in_words(problem)}; see docs/how-to/correct-a-delivery.md") from None
    names = [entry.id for entry in entries]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{file.name}: {', '.join(repeated)} stands there more than once")
    return entries


def _in_words(problem: ValidationError) -> str:
    """The first fault: which entry, which field, what it should be. Never the value: it may be personal."""
    first = problem.errors(include_input=False, include_url=False)[0]
    place, field = first["loc"], str(first["loc"][-1]) if first["loc"] else ""
    entry = f"entry {place[1] + 1}: " if len(place) > 1 and isinstance(place[1], int) else ""
    if not entry:
        return "it must be a list of entries under `corrections:`; a file without entries reads `corrections: []`"
    match first["type"]:
        case "missing":
            said = f"the field {field} is missing"
        case "extra_forbidden":
            known = tuple(Correction.model_fields)
            said = f"there is no field {field!r}{did_you_mean(field, known) or ';'} the fields are {', '.join(known)}"
        case "value_error":
            said = str(first["ctx"]["error"])
        case "string_pattern_mismatch":
            said = f"{field} has letters, digits, '.', '_' and '-' only"
        case "string_too_long":
            said = f"{field} has at most {first['ctx']['max_length']} characters"
        case "string_too_short":
            said = f"the field {field} is empty"
        case "string_type":
            said = f"write {field} as text, in quotes"
        case "dict_type":
            said = f"{field} is a list of names with values, such as {{tahun: 2024, tw: 3}}"
        case _:
            said = "an entry is a list of fields with values"
    return entry + said
