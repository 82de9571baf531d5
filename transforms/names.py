"""What somebody probably meant by a name that is not there."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'IKU-06'?`` for ``IKU-6``; empty where nothing known comes near."""
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(_form(candidate), candidate)
    found = [by_form[form] for form in get_close_matches(_form(name), by_form, n=3, cutoff=0.75)]
    if _form(name) in by_form:
        found = [by_form[_form(name)]]
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def _form(name: str) -> str:
    """The name without what is mistyped most: letter case, signs, zeros before a number."""
    return re.sub(r"[^0-9a-z]|(?<![0-9])0+(?=[0-9])", "", name.lower())
