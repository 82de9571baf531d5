"""``identity: true``: no other content is known of the row's key and state time."""

from typing import ClassVar, Literal

from pydantic import RootModel

from expectations.columns import Bilingual, Column
from expectations.kinds import Kind, Told

# What the identity step found; see ``group_rows`` in identity.py.
CONFLICT_CONDITION = "NOT is_conflict"


class Identity(RootModel[Literal[True]], Kind):
    """The identity step compares the row with all states that are known; the validator sees the delivery alone, and counts its mark."""

    key: ClassVar[str] = "identity"
    means: ClassVar[Bilingual] = Bilingual(
        id="tidak bertentangan dengan yang sudah diketahui", en="nothing else is known of this key and state time"
    )

    is_about_writing: ClassVar[bool] = False

    def condition(self, rule_id: str, column: Column) -> str:
        return CONFLICT_CONDITION

    def told(self, rule_id: str, column: Column) -> Told:
        return Told()

    def remedy(self, column: Column) -> Bilingual:
        return Bilingual(
            id="Bila baris ini perbaikan, kirim dalam folder corrections/; bila tidak, hapus yang salah dari kedua baris itu.",
            en="If this row mends the other, deliver it in a folder corrections/; if not, delete the wrong one of the two.",
        )
