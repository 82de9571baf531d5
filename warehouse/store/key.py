"""The key of the pseudonyms: from the environment, or a 0600 file outside the warehouse made at first use."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from warehouse.store.failures import Damaged, EnvironmentProblem
from warehouse.store.home import Home

VARIABLE = "KPI_PSEUDONYM_KEY"
_BLOCK = 64


def load_key(home: Home, known_fingerprint: str | None) -> bytes:
    """The installation's key. Raises EnvironmentProblem where it is missing or not the one that the data were made with."""
    key, file = read_key(home), key_file(home)
    if key is None:
        if known_fingerprint is not None:
            raise EnvironmentProblem(f"the pseudonym key is missing: put it back into {file} or into {VARIABLE}")
        key = _make(file).encode("ascii")
    if known_fingerprint not in (None, fingerprint(key)):
        raise EnvironmentProblem(
            f"the pseudonym key is not the one of this warehouse: put the right one into {file} or into {VARIABLE}"
        )
    return key


def key_file(home: Home) -> Path:
    return home.secret / "pseudonym.key"


def read_key(home: Home) -> bytes | None:
    """The key as it stands, None where there is none; nothing is made. Raises Damaged where the file cannot be a key."""
    if text := os.environ.get(VARIABLE):
        return text.encode("utf-8", "surrogateescape")
    file = key_file(home)
    if not file.exists():
        return None
    key = file.read_bytes().strip()
    if not key or not key.isascii():
        fault = "empty" if not key else "no text of ASCII"
        raise Damaged(f"the pseudonym key {file} is {fault}: put it back from its backup, or set {VARIABLE}")
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
