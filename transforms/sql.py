"""Reads the .sql files of the rooms: one statement group a file, with a header that states table, grain and inputs."""

import re
from functools import cache
from importlib.resources import files


@cache
def load_sql(package: str, name: str) -> str:
    """Text of ``name`` in ``package``. The name comes from code or a definition, never from a delivery."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def identifier(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def names_parameter(query: str, name: str) -> bool:
    """Whether the query has the parameter ``$name``, and not only one whose name begins so."""
    return re.search(rf"\${re.escape(name)}\b", _without_comments(query)) is not None


def _without_comments(query: str) -> str:
    """A header names the parameters that a query may have."""
    return re.sub(r"--[^\n]*", "", query)


def filled(query: str, **parts: str) -> str:
    """``query`` with each ``{name}`` of ``parts`` replaced: SQL that is made of declarations. Raises KeyError for one that it does not have."""
    for name, part in parts.items():
        if f"{{{name}}}" not in query:
            raise KeyError(name)
        query = query.replace(f"{{{name}}}", part)
    return query
