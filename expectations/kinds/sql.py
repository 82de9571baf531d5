"""``sql: ...``: a condition over the row that no other kind states, and the same said apart for the validator."""

from typing import ClassVar

from pydantic import ConfigDict, model_validator

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told


class Sql(Kind):
    """``holds``: the condition, FALSE where the rule is broken. ``broken_where``: written apart from it, the condition of a row that
    breaks the rule, which the validator queries. Without it the validator only counts ours.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: ClassVar[str] = "sql"
    means: ClassVar[Bilingual] = Bilingual(id="syarat khusus", en="a condition of its own")

    holds: str
    broken_where: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, stated: object) -> object:
        return {"holds": stated} if isinstance(stated, str) else stated

    def condition(self, rule_id: str, column: Column) -> str:
        return f"({self.holds})"

    def told(self, rule_id: str, column: Column) -> Told:
        return Told(broken_where=self.broken_where)
