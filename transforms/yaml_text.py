"""Reads YAML by libyaml where it is there: the definitions and printed tables are read at every start, ten times as fast."""

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A file that people write is small and flat; what is deep, or refers to itself, is made to do harm.
MOST_BYTES, MOST_DEPTH = 5_000_000, 20


def read_yaml(text: str | bytes) -> Any:
    """The content of one YAML document, plain values only."""
    return yaml.load(text, Loader=_LOADER)


def read_foreign_yaml(content: bytes) -> Any:
    """As ``read_yaml``, of a file that is not ours: looked through before anything is built of it.

    Raises YAMLError, and ValueError that says which limit it breaks: size, depth, aliases (a few of which unfold without end).
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    depth = 0
    for event in yaml.parse(content, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 0
        if depth > MOST_DEPTH:
            raise ValueError(f"line {line}: nested deeper than {MOST_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"line {line}: it refers to another place (*); write the values out")
    return read_yaml(content)
