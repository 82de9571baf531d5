"""A rule of a contract: what must hold of a row, how severe it is where it does not, and what a clerk is told."""

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, InstanceOf, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema

from expectations.columns import Bilingual, Identifier, Strict
from expectations.kinds import Kind, kinds

Severity = Literal["refuse", "quarantine", "warn"]
RuleId = Annotated[str, Field(pattern=r"^[A-Z]+(-[A-Z0-9_]+)+$")]


class Rule(Strict):
    """What must hold of a row: exactly one kind of condition, under its key (see ``expectations/kinds``).

    A rule is broken where it is FALSE; where a value that it needs is missing it is NULL, which breaks nothing
    (``required`` says that a value must be there), as with SQL's CHECK.
    ``remedy`` says what to do, where the kind does not; ``codes``: the reference table and column with what may stand there.
    """

    id: RuleId
    column: Identifier
    message: Bilingual
    severity: Severity = "quarantine"
    remedy: Bilingual | None = None
    codes: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")] | None = None
    kind: SkipJsonSchema[InstanceOf[Kind]]

    @model_validator(mode="before")
    @classmethod
    def _of_one_kind(cls, stated: Any) -> Any:
        if not isinstance(stated, dict) or "kind" in stated:
            return stated
        keys = [key for key in kinds() if key in stated]
        if len(keys) != 1:
            raise ValueError(f"rule {stated.get('id')}: state exactly one kind of condition: {', '.join(kinds())}")
        rest = {name: value for name, value in stated.items() if name != keys[0]}
        return {**rest, "kind": kinds()[keys[0]].model_validate(stated[keys[0]])}

    @model_serializer
    def _as_stated(self) -> dict[str, Any]:
        """As a contract states it, so that what is written can be read again."""
        stated = ("id", "column", "message", "severity", "remedy", "codes")
        values = {name: getattr(self, name) for name in stated if getattr(self, name) is not None}
        return {**values, self.kind.key: self.kind.model_dump()}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """For editors: the key of each kind, and of none but one of them."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["properties"] |= {key: handler(kind.__pydantic_core_schema__) for key, kind in kinds().items()}
        schema["oneOf"] = [{"required": [key]} for key in kinds()]
        return schema

    def is_kind(self, key: str) -> bool:
        return self.kind.key == key
