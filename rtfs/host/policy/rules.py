"""Rules of a configuration: which calls are allowed, denied or asked about, by id and arguments; and quotas by id.

Must not know how calls are carried out. Invariants: what is looked at is the canonical form of a call's arguments
(`rtfs.capabilities.signature`); the first rule that fits decides; a rule that allows fits only if every spelling of an
argument fits, one that denies or asks fits if any does; numbers are compared by value; a path is compared as the file
that it leads to; a rule never widens what a run was narrowed to, and gives no resource (`net:` …), only the capability.
"""

from __future__ import annotations

from rtfs.host.policy.context import Quota
from rtfs.host.policy.grants import glob, real_path
from rtfs.values import HostError, Keyword, LimitError, List, Map, Set, Symbol, Vector, equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from rtfs.capabilities.signature import Signature

DECISIONS = ("allow", "deny", "approve")
_NUMBERS = (int, float)
LONGEST_PATH = 4_096
"""Characters of a text that may be a path."""


class Rule:
    """match: a capability id, `*` for any run of characters. when: argument name (`a.b` for a part of a part or for a
    name with a dot, a number for a position) → what it must be: a value, a text with `*`, or a list of them; `5` fits
    `5.0` too, but no text and no boolean. decide: one of `DECISIONS`. for_run: whether the person who is asked may say
    yes for the rest of the run."""

    __slots__ = ("decide", "for_run", "match", "reason", "when")

    def __init__(
        self,
        match: str,
        decide: str,
        when: Mapping[str, Any] | None = None,
        reason: str | None = None,
        for_run: bool = False,
    ) -> None:
        if decide not in DECISIONS:
            raise HostError(f"a rule decides {', '.join(DECISIONS)}, not {decide!r}", code="config/invalid")
        if for_run and decide != "approve":
            raise HostError("`for_run` is for rules that decide `approve`", code="config/invalid")
        self.match = match
        self.decide = decide
        self.for_run = for_run
        self.when = dict(when or {})
        for path, wanted in self.when.items():
            if isinstance(wanted, dict):
                raise HostError(
                    f"a rule compares {path!r} with a value, a text or a list, not with a mapping",
                    code="config/invalid",
                    hint=f"name the part: `{path}.name: value`",
                )
        self.reason = reason or f"rule {match}"

    def fits(
        self, id: str, arguments: tuple[Any, ...], needs: Sequence[str] = (), signature: Signature | None = None
    ) -> bool:
        """Whether the rule is about this call. needs: the resources that it reaches. signature: of the capability: a
        position means the parameter there."""
        if not glob(self.match, id):
            return False
        files = [need.split(":", 2)[2] for need in needs if need.startswith("fs:")]
        values: list[Any] = [Vector(arguments)]
        if len(arguments) == 1 and arguments[0].__class__ is Map:
            values.append(arguments[0])
        for path, wanted in self.when.items():
            parts = str(path).split(".")
            if signature is not None and _is_index(parts[0]):
                parts[:1] = signature.place(int(parts[0])) or parts[:1]
            found = _at(values if signature is None else values[1:], parts)
            fitting = [_matches(one, wanted, files) for one in found]
            if self.decide == "allow":
                if not fitting or not all(answers[-1] for answers in fitting):
                    return False
            elif not any(any(answers) for answers in fitting):
                return False
        return True


class Rules:
    """The rules and quotas of one runtime, in order. Raises HostError `config/invalid` for invalid ones."""

    __slots__ = ("quotas", "rules")

    def __init__(self, rules: Iterable[Any] = (), quotas: Iterable[Mapping[str, Any]] = ()) -> None:
        try:
            self.rules = [rule if isinstance(rule, Rule) else Rule(**rule) for rule in rules]
            self.quotas = [_quota(**quota) for quota in quotas]
        except TypeError as error:
            raise HostError(f"this is not a rule: {error}", code="config/invalid") from None

    def as_data(self) -> list[dict[str, Any]]:
        """The rules as the configuration names them."""
        return [
            {"match": rule.match, "decide": rule.decide, "when": rule.when, "reason": rule.reason}
            | ({"for_run": True} if rule.for_run else {})
            for rule in self.rules
        ]

    def digest(self) -> str:
        """A digest that tells whether rules are the same."""
        from hashlib import sha256

        return sha256(repr(self.as_data()).encode()).hexdigest()

    def quota(self, calls: int | None) -> Quota:
        """The quota of one run. calls: the total number of calls."""
        return Quota(calls, Spending(self.quotas) if self.quotas else None)

    def about(self, id: str) -> bool:
        """Whether any rule may be about calls of this capability."""
        return any(glob(rule.match, id) for rule in self.rules)

    def is_steady(self, id: str) -> bool:
        """Whether one rule decides about all calls of this capability, whatever their arguments."""
        return next((not rule.when for rule in self.rules if glob(rule.match, id)), False)

    def rule(
        self, id: str, arguments: tuple[Any, ...], needs: Sequence[str] = (), signature: Signature | None = None
    ) -> Rule | None:
        """The rule that decides about a call that reaches `needs`, or None."""
        for rule in self.rules:
            if rule.fits(id, arguments, needs, signature):
                return rule
        return None


class Spending:
    """The amounts of the quotas that one run has used. Shared by everything that the run starts."""

    __slots__ = ("_quotas", "_used")

    def __init__(self, quotas: list[tuple[str, int | None, int | None, float | None]]) -> None:
        self._quotas = quotas
        self._used = [[0, 0, 0.0] for _ in quotas]

    def as_data(self) -> list[list[Any]]:
        """The used part of each quota, for a run that continues this one."""
        return [[list(quota), list(used)] for quota, used in zip(self._quotas, self._used, strict=True)]

    def take(self, data: list[list[Any]]) -> None:
        """Count what an earlier run has used up of the quotas that are the same."""
        for quota, used in data:
            for known, own in zip(self._quotas, self._used, strict=True):
                if list(known) == quota:
                    own[:] = used

    def begin(self, id: str, size: int) -> None:
        """Count a call with arguments of `size` bytes. Raises LimitError `limit/quota` if it is one too many."""
        for (pattern, calls, most, seconds), used in zip(self._quotas, self._used, strict=True):
            if glob(pattern, id):
                used[0] += 1
                used[1] += size
                if calls is not None and used[0] > calls:
                    raise _exceeded(f"{calls} calls", pattern)
                if seconds is not None and used[2] >= seconds:
                    raise _exceeded(f"{seconds:g} seconds", pattern)
                if most is not None and used[1] > most:
                    raise _exceeded(f"{most} bytes", pattern)

    def end(self, id: str, size: int, seconds: float) -> None:
        """Count what a call answered and how long it took. Raises LimitError `limit/quota` if it answered too much."""
        self.took(id, seconds)
        for (pattern, _, most, _), used in zip(self._quotas, self._used, strict=True):
            if glob(pattern, id):
                used[1] += size
                if most is not None and used[1] > most:
                    raise _exceeded(f"{most} bytes", pattern)

    def took(self, id: str, seconds: float) -> None:
        """Count how long a call took, whatever became of it."""
        for (pattern, *_), used in zip(self._quotas, self._used, strict=True):
            if glob(pattern, id):
                used[2] += seconds


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8: what quotas count."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _quota(
    match: str = "*", calls: int | None = None, bytes: int | None = None, seconds: float | None = None
) -> tuple[str, int | None, int | None, float | None]:
    for name, most in (("calls", calls), ("bytes", bytes), ("seconds", seconds)):
        if most is not None and (most.__class__ not in (int, float) or not most >= 0):
            raise HostError(f"{name} of a quota is a number from 0, not {most!r}", code="config/invalid")
    return match, calls, bytes, seconds


def _exceeded(what: str, pattern: str) -> LimitError:
    return LimitError("limit/quota", f"the run has used up its quota of {what} for {pattern}")


def _at(values: list[Any], path: list[str]) -> list[Any]:
    """Everything that a path may mean: a map may have the key as keyword and as text, and keys with dots; a set has any
    of its elements at any position, for a server gets them in some order."""
    if not path:
        return values
    found: list[Any] = []
    for count in range(1, len(path) + 1):
        name = ".".join(path[:count])
        inner: list[Any] = []
        for value in values:
            if value.__class__ is Map:
                inner += [item for key, item in value.items() if _text(key) == name]
            elif count == 1 and _is_index(name):
                if value.__class__ is Set:
                    inner += value.to_list()
                elif value.__class__ in (Vector, List) and int(name) < len(value):
                    inner.append(value[int(name)])
        if inner:
            found += _at(inner, path[count:])
    return found


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _matches(value: Any, wanted: Any, files: list[str]) -> list[bool]:
    """Whether a value is what it must be: as it is written and, if it leads to one of these files, as that file."""
    answers = [_is(value, wanted)]
    text = _text(value)
    if files and text.__class__ is str:
        reached = [file for file in _ways(text) if file in files]
        if reached:
            answers.append(any(_is(file, _from_root(wanted)) for file in reached))
    return answers


def _from_root(wanted: Any) -> Any:
    """The values wanted of a path, as absolute paths; a pattern that begins with `*` stays as it is."""
    if isinstance(wanted, (list, tuple)):
        return [_from_root(one) for one in wanted]
    return _ways(wanted) if isinstance(wanted, str) and not wanted.startswith("*") else wanted


def _ways(path: str) -> list[str]:
    """The absolute paths that a path may mean: the target of a link at its end, and the link itself."""
    import os

    folder, name = os.path.split(path)
    try:
        return [real_path(path), os.path.join(real_path(folder), name)] if len(path) <= LONGEST_PATH else []
    except ValueError:  # a NUL in it
        return []


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, (list, tuple)):
        return any(_is(value, one) for one in wanted)
    if isinstance(wanted, str):
        text = _text(value)
        return text.__class__ is str and glob(wanted, text)
    if value.__class__ in _NUMBERS and wanted.__class__ in _NUMBERS:
        return bool(value == wanted)
    return value.__class__ is wanted.__class__ and equal(value, wanted)


def _text(value: Any) -> Any:
    return value.name if value.__class__ is Keyword or value.__class__ is Symbol else value
