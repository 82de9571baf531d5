"""``measure: {of, ...}``: a value that is taken from the row by SQL is one of a list, or none of one, or between two bounds."""

from typing import ClassVar

from pydantic import ConfigDict, model_validator

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told, literal


class Measure(Kind):
    """``of`` is SQL of the value over the typed row (NULL: the rule does not apply), such as digits of a number. Exactly one of
    ``allowed``, ``forbidden``, or bounds (``min``, ``max``) judges it; that is what the validator states by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "measure"
    means: ClassVar[Bilingual] = Bilingual(
        id="bagian atau ukuran dari nilai memenuhi syarat", en="a part or a measure of the value is allowed"
    )

    of: str
    allowed: list[str | int | bool] | None = None
    forbidden: list[str | int | bool] | None = None
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _one_judgement(self) -> "Measure":
        bounds = self.min is not None or self.max is not None
        if sum((self.allowed is not None, self.forbidden is not None, bounds)) != 1:
            raise ValueError("measure: state exactly one of allowed, forbidden, bounds")
        return self

    def condition(self, rule_id: str, column: Column) -> str:
        value = f"({self.of})"
        if self.allowed is not None:
            return f"{value} IN ({', '.join(map(_literal, self.allowed))})"
        if self.forbidden is not None:
            return f"{value} NOT IN ({', '.join(map(_literal, self.forbidden))})"
        bounds = ((">=", self.min), ("<=", self.max))
        return " AND ".join(f"{value} {sign} {bound}" for sign, bound in bounds if bound is not None)

    def told(self, rule_id: str, column: Column) -> Told:
        judged = f"{rule_id}__value"
        own = {judged: f"({self.of})"}
        if self.allowed is not None:
            return Told("ExpectColumnValuesToBeInSet", {"column": judged, "value_set": self.allowed}, values=own)
        if self.forbidden is not None:
            return Told("ExpectColumnValuesToNotBeInSet", {"column": judged, "value_set": self.forbidden}, values=own)
        bounds = {"min_value": self.min, "max_value": self.max}
        return Told("ExpectColumnValuesToBeBetween", {"column": judged, **bounds}, values=own)


def _literal(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else literal(value)
