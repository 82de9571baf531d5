"""Texts that are not what they look like: how a name is shown, and how a cell is written that has no value to show."""

import re
from typing import Final

# In the text of a workbook: a formula stands in the cell, and nobody has computed it. A value of no type.
UNCOMPUTED: Final = "#FORMULA!"
# Python's sign for a byte of a file name that is no UTF-8.
_LONE_BYTES: Final = re.compile("[\udc80-\udcff]")


def printable(text: str) -> str:
    """The text with every character escaped that prints nothing, moves the cursor or turns the direction: ``\\n``, ``\\x1b``, ``\\u202e``.

    A byte of a name that is no UTF-8 stands as ``\\xff``. What people write in any language stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable()
        else f"\\x{ord(letter) - 0xDC00:02x}"
        if _LONE_BYTES.match(letter)
        else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
