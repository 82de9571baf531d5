"""Reads the .sql files of the rooms: one statement group a file, with a header that states table, grain and inputs."""

from functools import cache
from importlib.resources import files


@cache
def load_sql(package: str, name: str) -> str:
    """Text of ``name`` in ``package``. The name comes from code or a definition, never from a delivery."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def identifier(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
