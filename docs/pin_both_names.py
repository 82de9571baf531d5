"""Pins a package that is asked for with extras under its plain name too.

With hashes, pip takes a pin of ``sqlalchemy[asyncio]`` for that name alone and looks for an unpinned ``sqlalchemy`` besides.

Usage: python docs/pin_both_names.py requirements.txt
"""

import re
import sys
from pathlib import Path

WITH_EXTRAS = re.compile(r"^(sqlalchemy)\[asyncio\](==.*?)(?=^[a-z])", flags=re.S | re.M)

if __name__ == "__main__":
    file = Path(sys.argv[1])
    text = file.read_text(encoding="utf-8")
    file.write_text(WITH_EXTRAS.sub(lambda pin: f"{pin[1]}{pin[2]}{pin[0]}", text), encoding="utf-8")
