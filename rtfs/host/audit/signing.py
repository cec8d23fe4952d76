"""Signed heads of a ledger: what a witness outside keeps, so that rewriting the ledger is noticed.

Must not know how records are kept. Invariant: a statement says how many records there were and the hash of the last;
it holds as long as the ledger has that very record at that number, however many follow; with several chains, it says
that of each. Signatures are Ed25519
(RFC 8032), keys are PEM files (RFC 8410), as `openssl genpkey -algorithm ed25519` makes them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from rtfs.host.audit.ledger import GENESIS
from rtfs.host.audit.ledger_stores import named
from rtfs.paths import is_url
from rtfs.values import HostError

if TYPE_CHECKING:
    from typing import Any

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNED = ("head", "records", "time", "chains")
"""The fields of a statement that its signature covers, as far as it has them."""


def sign_head(place: str, key: str, ledger_key: str | None = None) -> dict[str, Any]:
    """A statement about the ledger at a place as it is now, signed with the private key in the file `key`. That of a
    database, which has a chain for each run, says where each of them ends; `head` is the hash of all that. ledger_key:
    file with the key of its seals, None for the usual one. Raises HostError `ledger/…`, `database/…`, `config/invalid`
    for what is not a key."""
    from datetime import UTC, datetime

    from rtfs.host.audit.ledger_stores import heads, inspect

    private = read_private_key(key)
    wrong = inspect(place, ledger_key)
    if wrong is not None:
        raise HostError(f"the ledger {named(place)} is not what was written: {wrong}", code="ledger/damaged")
    ends = heads(place)
    statement: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="seconds")}
    if is_url(place):
        statement |= {"records": sum(number for number, _ in ends.values()), "head": _digest(ends), "chains": ends}
    else:
        statement["records"], statement["head"] = ends[""]
    return {**statement, "signature": b64encode(private.sign(_signed(statement))).decode("ascii")}


def check_head(place: str, key: str, statement: dict[str, Any]) -> int:
    """The number of records that a signed head covers, if the ledger still has them. key: the file with the public (or
    private) key. Raises HostError `ledger/damaged` where the signature or the ledger is another."""
    from cryptography.exceptions import InvalidSignature

    from rtfs.host.audit.ledger_stores import hashes

    try:
        records, head = int(statement["records"]), str(statement["head"])
        ends = {"": (records, head)}
        if is_url(place):
            ends = {str(name): (int(number), str(digest)) for name, (number, digest) in statement["chains"].items()}
        read_public_key(key).verify(b64decode(statement["signature"], validate=True), _signed(statement))
    except (KeyError, TypeError, ValueError, AttributeError):
        kind = "a ledger in a database" if is_url(place) else "a ledger"
        raise HostError(f"this is not a signed head of {kind}", code="ledger/damaged") from None
    except InvalidSignature:
        raise HostError("the signature of this head is not made with that key", code="ledger/damaged") from None
    found = hashes(place, {name: number for name, (number, _) in ends.items() if number})
    for name, (number, digest) in ends.items():
        if (found.get(name) if number else GENESIS) != digest:
            which = f"record {number:,} of chain {name!r}" if name else f"its record {number:,}"
            raise HostError(
                f"the ledger {named(place)} is not the one that was signed: {which} is another, or gone",
                code="ledger/damaged",
            )
    return records


def _digest(ends: dict[str, tuple[int, str]]) -> str:
    """The hash of where all chains end."""
    from hashlib import blake2b

    text = json.dumps(ends, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=32).hexdigest()


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
    fields = {name: statement[name] for name in SIGNED if name in statement}
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
