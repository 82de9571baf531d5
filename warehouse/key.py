"""The key of the pseudonyms: from the environment, or a 0600 file outside the warehouse made at first use."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from warehouse.failures import EnvironmentProblem
from warehouse.home import Home

VARIABLE = "KPI_PSEUDONYM_KEY"
_BLOCK = 64


def load_key(home: Home, known_fingerprint: str | None) -> bytes:
    """The installation's key. Raises EnvironmentProblem where it is missing or not the one that the data were made with."""
    file = home.secret / "pseudonym.key"
    text = os.environ.get(VARIABLE) or (file.read_text(encoding="ascii").strip() if file.exists() else None)
    if text is None:
        if known_fingerprint is not None:
            raise EnvironmentProblem(f"the pseudonym key is missing: put it back into {file} or into {VARIABLE}")
        text = _make(file)
    key = text.encode("utf-8")
    if known_fingerprint not in (None, fingerprint(key)):
        raise EnvironmentProblem(
            f"the pseudonym key is not the one of this warehouse: put the right one into {file} or into {VARIABLE}"
        )
    return key


def fingerprint(key: bytes) -> str:
    """What the warehouse keeps to know the key again, without holding it."""
    return hmac.new(key, b"kanreg-kpi key fingerprint", hashlib.sha256).hexdigest()


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and outer padded keys of HMAC-SHA-256 (RFC 2104), for SQL that has SHA-256 but no HMAC."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def content_secret(key: bytes) -> bytes:
    """The secret of the content hashes, derived from the key so that the two uses never share one."""
    return hmac.new(key, b"kanreg-kpi content secret", hashlib.sha256).digest()


def _make(file: Path) -> str:
    text = secrets.token_hex(32)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(text + "\n")
    return text
