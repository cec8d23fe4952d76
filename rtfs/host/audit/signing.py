"""Signed heads of a ledger: what a witness outside keeps, so that rewriting the ledger is noticed.

Must not know how records are kept. Invariant: a statement says how many records there were and the hash of the last;
it holds as long as the ledger has that very record at that number, however many follow. Signatures are Ed25519
(RFC 8032), keys are PEM files (RFC 8410), as `openssl genpkey -algorithm ed25519` makes them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from rtfs.host.audit.ledger import GENESIS
from rtfs.values import HostError

if TYPE_CHECKING:
    from typing import Any

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNED = ("head", "records", "time")
"""The fields of a statement that its signature covers."""


def sign_head(path: str, key: str) -> dict[str, Any]:
    """A statement about the ledger at `path` as it is now, signed with the private key in the file `key`. Raises
    HostError `ledger/…`, `config/invalid` for what is not a key."""
    from datetime import UTC, datetime

    from rtfs.host.audit.sqlite_ledger import inspect, last_record

    private = read_private_key(key)
    wrong = inspect(path)
    if wrong is not None:
        raise HostError(f"the ledger {path} is not what was written: {wrong[1]}", code="ledger/damaged")
    records, head = last_record(path)
    statement = {"head": head, "records": records, "time": datetime.now(UTC).isoformat(timespec="seconds")}
    return {**statement, "signature": b64encode(private.sign(_signed(statement))).decode("ascii")}


def check_head(path: str, key: str, statement: dict[str, Any]) -> int:
    """How many records a signed statement vouches for, if the ledger still has them. key: the file with the public (or
    private) key. Raises HostError `ledger/damaged` where the signature or the ledger is another."""
    from cryptography.exceptions import InvalidSignature

    from rtfs.host.audit.sqlite_ledger import hash_of_record

    try:
        records, head = int(statement["records"]), str(statement["head"])
        read_public_key(key).verify(b64decode(statement["signature"], validate=True), _signed(statement))
    except (KeyError, TypeError, ValueError):
        raise HostError("this is not a signed head of a ledger", code="ledger/damaged") from None
    except InvalidSignature:
        raise HostError("the signature of this head is not made with that key", code="ledger/damaged") from None
    if (records and hash_of_record(path, records) != head) or (not records and head != GENESIS):
        raise HostError(
            f"the ledger {path} is not the one that was signed: its record {records:,} is another, or gone",
            code="ledger/damaged",
        )
    return records


def read_statement(path: str) -> dict[str, Any]:
    """The statement in a file. Raises HostError `file/…`, `ledger/damaged`."""
    from rtfs.host.files import read_source

    try:
        statement = json.loads(read_source(path).text)
    except ValueError:
        statement = None
    if not isinstance(statement, dict):
        raise HostError(f"{path} is not a signed head of a ledger", code="ledger/damaged")
    return statement


def _signed(statement: dict[str, Any]) -> bytes:
    fields = {name: statement[name] for name in SIGNED}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("utf-8")


def read_private_key(path: str) -> Ed25519PrivateKey:
    serialization, ed25519, pem = _key_tools(path)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _no_key(path, "a private")
    private: Ed25519PrivateKey = key
    return private


def read_public_key(path: str) -> Ed25519PublicKey:
    serialization, ed25519, pem = _key_tools(path)
    if b"PRIVATE KEY" in pem:
        return read_private_key(path).public_key()
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _no_key(path, "a public")
    public: Ed25519PublicKey = key
    return public


def _key_tools(path: str) -> tuple[Any, Any, bytes]:
    """The library's modules, and what is in a key's file."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise HostError(
            "signing needs the package `cryptography`", code="config/missing", hint="pip install 'rtfs-host[signing]'"
        ) from None
    try:
        with open(path, "rb") as file:
            return serialization, ed25519, file.read(65_536)
    except OSError as error:
        raise HostError(f"cannot read the key {path}: {error.strerror}", code="file/unreadable") from None


def _no_key(path: str, kind: str) -> HostError:
    return HostError(
        f"{path} is not {kind} Ed25519 key in PEM",
        code="config/invalid",
        hint="openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem",
    )
