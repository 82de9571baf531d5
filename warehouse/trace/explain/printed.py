"""What is printed and contradicts a number, or would if nobody answered for it."""

from collections.abc import Collection
from typing import Any

import duckdb

from transforms.item_key import ItemKey
from transforms.sql import load_sql
from warehouse.reconciliation.contested import contradictions
from warehouse.store.queries import records


def judged_by_prints(connection: duckdb.DuckDBPyConnection, names: Collection[str], period: str) -> dict[str, Any]:
    """``contested``: the printed numbers that hold back one of ``names`` (an indicator, or a score with what it rests on); ``waived``: those
    that are printed otherwise of them, with who accepts that and why."""
    held = [
        found for found in contradictions(connection) if any(_is(n.item, n.period, names, period) for n in found.held)
    ]
    accepted = records(connection, load_sql("warehouse.trace", "explained_waivers.sql"))
    return {
        "contested": [
            {
                "item": f.item,
                "published": f.published,
                "derived": f.derived,
                "message": f.message,
                "what_to_do": f.what_to_do,
            }
            for f in held
        ],
        "waived": [row for row in accepted if _names(row["item"], names, period)],
    }


def _names(printed: str, names: Collection[str], period: str) -> bool:
    key = ItemKey.find(printed)
    return key is not None and _is(key.subject, key.period, names, period)


def _is(item: str, of: str, names: Collection[str], period: str) -> bool:
    return item.partition(".")[0] in names and of == period
