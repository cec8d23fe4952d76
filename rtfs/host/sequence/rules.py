"""Sequence rules of a configuration: what must have been called before, what must not, totals and counts.

Must not know ledgers or runs. Invariant: what is not a rule is an error `config/invalid` before anything runs.
"""

from __future__ import annotations

import re

from rtfs.host.flow.rules import argument_names, check_keys, invalid, known_capability
from rtfs.host.policy.grants import glob
from rtfs.host.policy.rules import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rtfs.capabilities.registry import Registry

DENY, ASK = "deny", "ask"
RUN, PRINCIPAL, ALL = "run", "principal", "all"
BEFORE, AFTER, TOTAL, COUNT = "before", "after", "total", "count"
_KEYS = {
    BEFORE: ("before", "require", "same", "within", "per", "otherwise"),
    AFTER: ("after", "deny", "ask", "unless", "within", "per", "otherwise"),
    TOTAL: ("total", "in", "per", "at-most", "otherwise"),
    COUNT: ("count", "in", "per", "at-most", "otherwise"),
}
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


class SequenceRule:
    """One rule.

    kind: `BEFORE`, `AFTER`, `TOTAL` or `COUNT`. call: pattern of the ids that it decides about. other: patterns of the
    earlier calls that it looks for. same: pairs of an argument of the call and one of the earlier call that must be
    equal. argument: path of the numbers that are added up. unless: when an `AFTER` rule allows a call nevertheless.
    seconds: how far it looks back, None for any time. per: the calls that it looks at: those of the `run`, of the
    `principal` or `all`. most: the highest total or count. otherwise: `DENY` or `ASK`.
    """

    __slots__ = ("argument", "call", "kind", "most", "other", "otherwise", "per", "same", "seconds", "unless")

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise invalid(f"a sequence rule is a mapping, not {given!r}")
        given = {str(key).replace("_", "-"): value for key, value in given.items()}
        kinds = [kind for kind in _KEYS if kind in given]
        if len(kinds) != 1:
            raise invalid(
                f"a sequence rule has one of {', '.join(_KEYS)}, not {' and '.join(kinds) or 'none'}",
                "write {before: bank.pay, require: fraud.check}",
            )
        self.kind = kinds[0]
        check_keys(given, _KEYS[self.kind], f"a sequence rule with `{self.kind}`")
        self.other: tuple[str, ...] = ()
        self.same: tuple[tuple[str, str], ...] = ()
        self.argument: tuple[str, ...] = ()
        self.unless: Rule | None = None
        self.most = 0.0
        self.otherwise = given.get("otherwise", ASK if "ask" in given else DENY)
        if self.otherwise not in (DENY, ASK):
            raise invalid(f"`otherwise` is deny or ask, not {self.otherwise!r}")
        if self.kind == BEFORE:
            self.call = _text(given["before"], "before")
            self.other = _texts(given.get("require"), "require")
            self.same = _same(given.get("same"))
        elif self.kind == AFTER:
            if ("deny" in given) is ("ask" in given):
                raise invalid(
                    "a sequence rule with `after` says what it denies", "write {after: web.*, deny: mail.send}"
                )
            self.call = _text(given.get("deny", given.get("ask")), "deny")
            self.other = _texts(given["after"], "after")
            unless = given.get("unless")
            if unless is not None:
                if not isinstance(unless, dict) or not unless:
                    raise invalid("`unless` is a mapping of arguments, as `when` of a rule")
                self.unless = Rule(self.call, "allow", {str(key): value for key, value in unless.items()})
        else:
            self._limit(given)
        self.seconds = duration(given.get("within", given.get("in")))
        self.per = given.get("per", RUN if self.kind in (BEFORE, AFTER) else PRINCIPAL)
        if self.per not in (RUN, PRINCIPAL, ALL):
            raise invalid(f"`per` is run, principal or all, not {self.per!r}")

    def _limit(self, given: Mapping[str, Any]) -> None:
        what = given[self.kind]
        if self.kind == COUNT:
            self.call = _text(what, "count")
        elif isinstance(what, dict):
            self.call = _text(what.get("call"), "call")
            self.argument = tuple(_text(what.get("argument"), "argument").split("."))
        else:
            self.call, dot, last = _text(what, "total").rpartition(".")
            if not dot or not self.call or not last:
                raise invalid(f"{what!r} names no argument of a capability", "write total: bank.pay.amount")
            self.argument = (last,)
        most = given.get("at-most")
        if isinstance(most, bool) or not isinstance(most, (int, float)) or not most >= 0:
            raise invalid(f"`at-most` is a number from 0, not {most!r}")
        self.most = most
        self.other = (self.call,)

    def decides(self, id: str) -> bool:
        """Whether it decides about calls of a capability."""
        return glob(self.call, id)

    def looks_for(self, id: str) -> bool:
        """Whether it looks for earlier calls of a capability."""
        return any(glob(pattern, id) for pattern in self.other)

    def check(self, registry: Registry) -> None:
        """Raise HostError `config/invalid` where it names a capability or an argument that is not there."""
        wanted = [(self.call, [one for one, _ in self.same] + list(self.argument[:1]))]
        wanted += [(pattern, [one for _, one in self.same]) for pattern in self.other]
        if self.unless is not None:
            wanted.append((self.call, [str(path) for path in self.unless.when]))
        for pattern, arguments in wanted:
            if "*" in pattern:
                continue
            entry = known_capability(registry, pattern, "sequence")
            names = None if entry is None else argument_names(entry)
            for argument in arguments:
                name = argument.partition(".")[0]
                if names is not None and name not in names and not name.isdigit():
                    raise invalid(
                        f'a sequence rule names the argument {name!r}, which "{pattern}" does not have',
                        f"it has {', '.join(names) or 'none'}",
                    )


class SequenceRules:
    """All sequence rules of a runtime. Raises HostError `config/invalid`."""

    __slots__ = ("_known", "rules")

    def __init__(self, given: Any) -> None:
        if not isinstance(given, (list, tuple)):
            raise invalid(f"`sequence` is a list of rules, not {given!r}")
        self.rules = [one if isinstance(one, SequenceRule) else SequenceRule(one) for one in given]
        self._known: dict[str, tuple[list[SequenceRule], list[SequenceRule]]] = {}

    def check(self, registry: Registry) -> None:
        """Raise HostError `config/invalid` for a rule about what is not there."""
        for rule in self.rules:
            rule.check(registry)

    def about(self, id: str) -> tuple[list[SequenceRule], list[SequenceRule]]:
        """The rules that decide about calls of a capability, and those that look for earlier ones."""
        found = self._known.get(id)
        if found is None:
            decides = [rule for rule in self.rules if rule.decides(id)]
            found = self._known[id] = decides, [rule for rule in self.rules if rule.looks_for(id)]
        return found

    def names(self, id: str) -> bool:
        """Whether any rule has to do with calls of a capability."""
        return any(self.about(id))


def duration(given: Any) -> float | None:
    """Seconds of `90`, `30s`, `15m`, `1h`, `1d`, `2w`; None for none. Raises HostError `config/invalid`."""
    if given is None:
        return None
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0:
        return float(given)
    found = _DURATION.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None or float(found[1]) <= 0:
        raise invalid(f"{given!r} is not a duration", "write 30s, 15m, 1h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def _same(given: Any) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if isinstance(given, dict):
        return tuple((_text(one, "same"), _text(other, "same")) for one, other in given.items())
    return tuple((name, name) for name in _texts(given, "same"))


def _texts(given: Any, what: str) -> tuple[str, ...]:
    items: Iterable[Any] = given if isinstance(given, (list, tuple)) else (given,)
    return tuple(_text(one, what) for one in items)


def _text(given: Any, what: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise invalid(f"`{what}` of a sequence rule is a text, not {given!r}")
    return given
