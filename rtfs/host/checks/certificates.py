"""Certificates: what was known of a program when a reviewer looked at it and signed that, and whether all of it holds.

Must not run anything. Invariant: a program that is accepted has the very text, loaded files, modules, declarations,
policy and rtfs version that were signed; what changed is named. Signatures are Ed25519 (RFC 8032) over the canonical
JSON of all other fields.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.host.checks.verdicts import Report
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source

FORMAT = 2
COMPARED = {
    "rtfs": "the version of rtfs",
    "program": "the text of the program",
    "loaded": "the loaded file",
    "modules": "the module",
    "declarations": "the declaration of",
    "policy": "the policy",
    "calls": "what the program calls",
    "flows": "what its arguments may come from",
}
"""Field → how a change of it is called; fields that are maps name the key that changed behind it."""


def certify(runtime: Runtime, source: Source, key: str) -> dict[str, Any]:
    """A certificate of a program under the declarations and the policy of a runtime, signed with the private key in the
    file `key`. Raises the first error of the program; HostError `certificate/impossible` if a capability that it calls
    is not declared, `config/…` if the file is not a key."""
    from datetime import UTC, datetime

    from rtfs.host.audit.signing import read_private_key

    private = read_private_key(key)
    found = facts(runtime, source)
    found["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    found["key"] = _fingerprint(private.public_key())
    return {**found, "signature": b64encode(private.sign(_signed(found))).decode("ascii")}


def accept(runtime: Runtime, source: Source, certificate: Any, keys: Iterable[str]) -> None:
    """Accept a program that is what a certificate says. keys: files with the public keys whose certificates count.

    Raises HostError `certificate/untrusted` if none of them signed it, `certificate/changed` with what changed."""
    _check_signature(certificate, list(keys))
    now = facts(runtime, source)
    changed = _changes(certificate, now)
    if changed:
        raise HostError(
            f"the certificate is of something else: {'; '.join(changed)}",
            code="certificate/changed",
            hint="review the changes, then certify it again: rtfs check --certify FILE --key KEY",
        )


def facts(runtime: Runtime, source: Source) -> dict[str, Any]:
    """Everything that a certificate vouches for. Raises the first error of the program."""
    import rtfs
    from rtfs.host.checks.verdicts import verdicts

    report = verdicts(runtime, source)
    error = report.analysis.error()
    if error is not None:
        raise error
    return {
        "format": FORMAT,
        "rtfs": {"version": rtfs.__version__, "stdlib": _stdlib()},
        "program": _digest(source.text),
        "loaded": {one.name: _digest(one.text) for one, _ in runtime._executor.loaded},
        "modules": _modules(report, source),
        "declarations": _declarations(runtime, report),
        "policy": _policy(runtime),
        "calls": _calls(report),
        "flows": _flows(report),
    }


def read_certificate(path: str) -> Any:
    """The certificate in a file. Raises HostError `file/…`, `certificate/untrusted`."""
    from rtfs.host.files import read_source

    try:
        return json.loads(read_source(path).text)
    except ValueError:
        raise _untrusted(f"{path} is not a certificate") from None


# ---------------------------------------------------------------------- what is vouched for
def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stdlib() -> str:
    from rtfs.host.bundled.declarations import TOPICS
    from rtfs.host.bundled.prelude import PRELUDE
    from rtfs.syntax.resources import resource_text

    names = ["stdlib/core.rtfs", PRELUDE, *[f"stdlib/capabilities/{topic}.rtfs" for topic in TOPICS]]
    return _digest("\0".join([resource_text(name) for name in names]))


def _modules(report: Report, source: Source) -> dict[str, str]:
    """The texts of the modules that the program imports, by file."""
    texts = {form.unit.source.name: form.unit.source.text for form in report.analysis.forms}
    return {
        name: _digest(text) for name, text in texts.items() if name != source.name and not name.startswith("stdlib")
    }


def _declarations(runtime: Runtime, report: Report) -> dict[str, str]:
    """The declarations of what the program can call; of everything, where an id is computed."""
    from rtfs.host.inspection import declared
    from rtfs.syntax.printer import to_text
    from rtfs.values import List, Vector

    ids = {call.id for call in report.calls if call.id is not None and call.decision != "declared"}
    if any(call.id is None for call in report.calls):
        ids.update(runtime._registry.ids())
    found = {}
    for id in sorted(ids):
        fields = declared(runtime, id)
        if fields is None:
            raise HostError(
                f'what "{id}" is, its server alone says: it cannot be certified',
                code="certificate/impossible",
                hint="import its declaration with rtfs mcp import, and --load it",
            )
        parts = [Vector(one) if isinstance(one, (tuple, list)) else one for one in fields.content()]
        found[id] = _digest(to_text(List(parts)))
    return found


def _policy(runtime: Runtime) -> str:
    """Everything that decides about calls."""
    options = runtime.options
    said = {
        "level": options.level,
        "principal": options.principal,
        "grants": sorted(runtime._executor.grants.texts),
        "rules": [[rule.match, rule.decide, _plain(rule.when), rule.reason] for rule in runtime._executor.rules.rules],
        "quotas": [_plain(one) for one in options.quotas],
        "flow": _plain(options.flow),
        "sequence": _plain(options.sequence),
        "max_calls": options.max_calls,
        "strict_arguments": options.strict_arguments,
        "embedder": runtime._pipeline.guard is not None,
    }
    return _digest(json.dumps(said, sort_keys=True))


def _plain(value: Any) -> Any:
    """A value that JSON writes the same way each time."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(part) for part in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    if value.__class__.__module__.startswith("rtfs.host."):
        slots = [name for one in value.__class__.__mro__ for name in getattr(one, "__slots__", ()) if name[0] != "_"]
        return {name: _plain(getattr(value, name, None)) for name in slots}
    from rtfs.syntax.printer import to_text

    return to_text(value)


def _calls(report: Report) -> dict[str, Any]:
    """id (`*` where it is computed) → how often one run calls it at most, and what the policy says."""
    found: dict[str, Any] = {}
    for call in report.calls:
        entry = found.setdefault(call.id or "*", {"at_most": call.at_most, "decisions": []})
        if call.decision not in entry["decisions"]:
            entry["decisions"].append(call.decision)
    return {id: {**one, "decisions": sorted(one["decisions"])} for id, one in sorted(found.items())}


def _flows(report: Report) -> dict[str, dict[str, list[str]]]:
    """id → argument → the sources that it may come from, as far as the text alone tells; `*`: any."""
    found: dict[str, dict[str, set[str]]] = {}
    for call in report.calls:
        for argument, sources in call.flows.items():
            found.setdefault(call.id or "*", {}).setdefault(argument, set()).update(sources)
    return {
        id: {argument: sorted(sources) for argument, sources in sorted(one.items())}
        for id, one in sorted(found.items())
    }


# ---------------------------------------------------------------------- whether it holds
def _changes(certificate: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The differences from what was signed, in words."""
    if certificate.get("format") != FORMAT:
        return ["it has another format"]
    changed = []
    for field, words in COMPARED.items():
        before, after = certificate.get(field), now[field]
        if before == after:
            continue
        if field in ("loaded", "modules", "declarations") and isinstance(before, dict):
            for name in sorted(before.keys() | after.keys()):
                if before.get(name) != after.get(name):
                    how = "is new" if name not in before else "is gone" if name not in after else "changed"
                    changed.append(f"{words} {name} {how}")
        elif (
            field not in ("calls", "flows") or not changed
        ):  # another text, another declaration: what it calls follows from that
            changed.append(f"{words} changed")
    return changed


def _check_signature(certificate: Any, keys: list[str]) -> None:
    from cryptography.exceptions import InvalidSignature

    from rtfs.host.audit.signing import read_public_key

    if not keys:
        raise _untrusted(
            "no key is named whose certificates count", "name it with --key FILE, or in certificates: keys:"
        )
    if not isinstance(certificate, dict) or not isinstance(certificate.get("signature"), str):
        raise _untrusted("this is not a signed certificate")
    try:
        signature = b64decode(certificate["signature"], validate=True)
    except ValueError:
        signature = b""
    signed = _signed({name: value for name, value in certificate.items() if name != "signature"})
    for key in keys:
        try:
            read_public_key(key).verify(signature, signed)
            return
        except InvalidSignature:
            continue
    raise _untrusted(f"the certificate is not signed with {'that key' if len(keys) == 1 else 'one of these keys'}")


def _untrusted(message: str, hint: str | None = None) -> HostError:
    return HostError(message, code="certificate/untrusted", hint=hint)


def _signed(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _fingerprint(public: Any) -> str:
    from cryptography.hazmat.primitives import serialization

    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return sha256(raw).hexdigest()
