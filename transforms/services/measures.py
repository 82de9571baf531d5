"""The measures of the services (``measures.yml``) and the breakdowns (``breakdowns.yml``), each declared once, and the SQL that is made of them."""

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.definitions import Bilingual
from transforms.sql import filled, identifier, load_sql
from transforms.yaml_text import read_yaml

Kind = Literal["count", "rate", "days"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
UNITS: dict[Kind, str] = {"count": "proposals", "rate": "percent", "days": "working days"}
TYPES: dict[Kind, dict[str, Any]] = {
    "count": {"type": "integer", "required": True},
    "rate": {"type": "number", "stored": "DECIMAL(9,2)"},
    "days": {"type": "number", "stored": "DECIMAL(12,2)"},
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(Strict):
    """A number of a service and group, see ``measures.yml``. Its ``measure`` is its name in JSON, in an explanation and in a report."""

    measure: Name
    column: Name
    title: Bilingual
    description: str
    formula: str
    counts: str = "false"
    of: str | None = None
    quantile: Annotated[int, Field(gt=0, lt=100)] | None = None
    label: str | None = None
    priority: int = 1
    is_printed_by_reports: bool = False
    is_told: bool = False
    has_band: bool = False

    @model_validator(mode="after")
    def _is_one_kind(self) -> "Measure":
        if (self.quantile is None) == (self.counts == "false") or (self.quantile is not None and self.of is None):
            raise ValueError(f"{self.measure}: counts something, or is a quantile of something")
        return self

    @property
    def kind(self) -> Kind:
        if self.quantile is not None:
            return "days"
        return "count" if self.of is None else "rate"

    @property
    def unit(self) -> str:
        return UNITS[self.kind]

    @property
    def decimals(self) -> int:
        return 0 if self.kind == "count" else 2

    @property
    def is_listed(self) -> bool:
        """Whether `kpi services` prints it, and it can be explained by its name."""
        return self.label is not None


class Breakdown(Strict):
    """By what the proposals of a year are grouped. ``group`` is SQL over service_records; NULL: the proposal is in no group.

    ``groups`` says what a group's name is; ``names``: what some of them stand for.
    """

    breakdown: Name
    title: Bilingual
    group: str
    groups: str
    names: dict[str, Bilingual] = {}


@cache
def load_measures() -> tuple[Measure, ...]:
    return tuple(Measure.model_validate(m) for m in read_yaml(load_sql(__package__, "measures.yml"))["measures"])


@cache
def listed_measures() -> dict[str, Measure]:
    """By their names, in order: what `kpi services` prints."""
    return {measure.measure: measure for measure in load_measures() if measure.is_listed}


@cache
def load_breakdowns() -> tuple[Breakdown, ...]:
    return tuple(Breakdown.model_validate(b) for b in read_yaml(load_sql(__package__, "breakdowns.yml"))["breakdowns"])


def group_names(breakdown: str, language: Literal["id", "en"] = "en") -> dict[str, str]:
    """What groups of the breakdown stand for, where that is declared."""
    found = next(b for b in load_breakdowns() if b.breakdown == breakdown)
    return {group: getattr(name, language) for group, name in found.names.items()}


def summary_columns() -> dict[str, dict[str, dict[str, Any]]]:
    """What the declaration of facts.service_summary takes from here: columns, by the place where they stand."""
    measures, breakdowns = load_measures(), load_breakdowns()
    return {
        "+breakdown": {
            "breakdown": {
                "type": "string", "unit": "none", "required": True, "enum": [b.breakdown for b in breakdowns],
                "description": "by what the proposals are grouped",
            },
            "group_name": {
                "type": "string", "unit": "none", "required": True,
                "description": "the group: " + "; ".join(f"{b.breakdown}: {b.groups}" for b in breakdowns),
            },
        },
        "+measures": {
            m.column: TYPES[m.kind] | {"unit": m.unit, "description": m.description} for m in measures
        },
        "+bands": {
            f"{m.measure}_band_{end}": TYPES[m.kind] | {
                "unit": m.unit, "description": f"{m.measure} if every quarantined proposal counted {way} it",
            }
            for m in measures if m.has_band for end, way in (("low", "against"), ("high", "for"))
        },
    }  # fmt: skip


@cache
def summary_sql() -> str:
    """The query of the summary of ``service_records``, see summary.sql."""
    measures, breakdowns = load_measures(), load_breakdowns()
    days = [m for m in measures if m.quantile is not None]
    parts = {
        "groups": [f"{b.group} AS {identifier('group_' + b.breakdown)}" for b in breakdowns],
        "breakdowns": [
            f"struct_pack(breakdown := '{b.breakdown}', group_name := {identifier('group_' + b.breakdown)})"
            for b in breakdowns
        ],
        "counts": [
            f"CAST(coalesce(sum(records) FILTER (reason IS NULL AND ({condition})), 0) AS BIGINT) AS {role}_{m.measure}"
            for m in measures
            for role, condition in (("counted", m.counts), ("of", m.of))
            if condition is not None and m.quantile is None
        ],
        "neighbours": [
            f"min(decision_days) FILTER (up_to > {position}) AS {where}_{m.measure}"
            for m in days
            for where, position in (
                ("below", f"(decided - 1) * {m.quantile} // 100"),
                ("above", f"least((decided - 1) * {m.quantile} // 100 + 1, decided - 1)"),
            )
        ],
        "quantiles": [
            f"CAST(below_{m.measure} * 100 + (decided - 1) * {m.quantile} % 100 * (above_{m.measure} - below_{m.measure}) "
            f"AS DECIMAL(18, 0)) * 0.01 AS {m.measure}"
            for m in days
        ],
        "measures": [f"{_value(m)} AS {identifier(m.column)}" for m in measures],
    }
    return filled(load_sql(__package__, "summary.sql"), **{name: ",\n    ".join(sql) for name, sql in parts.items()})


def _value(measure: Measure) -> str:
    match measure.kind:
        case "count":
            return f"counted_{measure.measure}"
        case "rate":
            return f"percent_half_up(counted_{measure.measure}, of_{measure.measure})"
        case _:
            return f"CAST(quantiles.{measure.measure} AS DECIMAL(12, 2))"


def a_row_each(measures: Iterable[Measure], *fields: str) -> str:
    """SQL that makes of one row of facts.service_summary one of each measure, with ``measure``, its name, and these fields.

    A field is SQL over ``{name}``, ``{column}``, ``{decimals}`` and ``{is_told}`` of the measure.
    """
    rows = [
        f"struct_pack(measure := '{m.measure}', "
        + ", ".join(
            field.format(
                name=m.measure, column=identifier(m.column), decimals=m.decimals, is_told=str(m.is_told).lower()
            )
            for field in fields
        )
        + ")"
        for m in measures
    ]
    return f"unnest([{', '.join(rows)}], recursive := true)"


def is_in_group(breakdown: str, group_name: str) -> str:
    """SQL of whether a proposal of service_records is in the group; parameters as they are named."""
    cases = " ".join(f"WHEN '{b.breakdown}' THEN {b.group} = {group_name}" for b in load_breakdowns())
    return f"CASE {breakdown} {cases} END"
