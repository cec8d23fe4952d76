"""Flow rules of a configuration: what an argument of a call may come from, be decided by, and who must be able to read
it.

Must not know how calls are carried out. Invariants: what is not a rule is an error `config/invalid` before anything
runs; every rule about a call must hold; a rule about an argument that is not there holds.
"""

from __future__ import annotations

import re

from rtfs.host.flow.patterns import SourcePattern, field, fields, keys_of
from rtfs.host.policy.grants import glob
from rtfs.values import HostError, Keyword, List, Map, Set, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from rtfs.capabilities.registry import Entry, Registry
    from rtfs.flow.tag import Pair

DENY, ASK = "deny", "ask"
_PATH = re.compile(r"[^.\[\]]+(\[\])?(\.[^.\[\]]+(\[\])?)*")
_RULE = ("call", "argument", "from", "decided-by", "readers", "otherwise")


class Lookup:
    """A call that a rule makes to decide. id: of the capability. arguments: parameter → `$argument` of the call that is
    decided about, or a text. field: of the answer, or None for all of it."""

    __slots__ = ("arguments", "field", "id")

    def __init__(self, given: Mapping[str, Any]) -> None:
        check_keys(given, ("lookup", "with", "field"), "a lookup")
        self.id = _text(given.get("lookup"), "lookup")
        arguments = given.get("with") or {}
        if not isinstance(arguments, dict):
            raise invalid("`with` of a lookup is a mapping of parameters")
        self.arguments = {str(name): value for name, value in arguments.items()}
        self.field = None if given.get("field") is None else _text(given["field"], "field")


class FlowRule:
    """One rule.

    call: a capability id, `*` for any run of characters, or None. effects: it is about capabilities with one of them.
    unknown: only about those that no other rule names. argument: a path, or None for all arguments together. sources,
    deciders: patterns, or None where anything is fine. readers: texts and `$argument`s, a `Lookup`, or None.
    """

    __slots__ = ("argument", "call", "deciders", "effects", "otherwise", "readers", "sources", "unknown")

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise invalid(f"a flow rule is a mapping, not {given!r}")
        given = {str(key).replace("_", "-"): value for key, value in given.items()}
        check_keys(given, _RULE, "a flow rule")
        call = given.get("call")
        self.call: str | None = None
        self.effects: tuple[str, ...] = ()
        self.unknown = False
        if isinstance(call, dict):
            check_keys(call, ("effects", "unknown"), "`call` of a flow rule")
            self.effects = tuple(str(one) for one in _list(call.get("effects")))
            self.unknown = call.get("unknown") is True
            if not self.effects:
                raise invalid("`call: {effects: [write], unknown: true}` names effects")
        else:
            self.call = _text(call, "call")
        self.argument = given.get("argument")
        if self.argument is not None and not (isinstance(self.argument, str) and _PATH.fullmatch(self.argument)):
            raise invalid(
                f"{self.argument!r} is not the path of an argument", "write recipient, cc[] or attachments[].file_id"
            )
        self.sources = _patterns(given.get("from"), "from")
        self.deciders = _patterns(given.get("decided-by"), "decided-by")
        readers = given.get("readers")
        self.readers: Lookup | list[str] | None = None
        if isinstance(readers, dict):
            self.readers = Lookup(readers)
        elif readers is not None:
            self.readers = [_text(one, "readers") for one in _list(readers)]
        self.otherwise = given.get("otherwise", DENY)
        if self.otherwise not in (DENY, ASK):
            raise invalid(f"`otherwise` is deny or ask, not {self.otherwise!r}")

    @property
    def never(self) -> bool:
        """Whether it lets no call through by itself."""
        return self.sources is None and self.deciders is None and self.readers is None

    def patterns(self) -> Iterator[SourcePattern]:
        """All patterns in it."""
        yield from self.sources or ()
        yield from self.deciders or ()

    def parts(self) -> list[str]:
        """The names of the path of the argument; none for all arguments."""
        return [] if self.argument is None else [part.removesuffix("[]") for part in self.argument.split(".")]

    def check(self, registry: Registry) -> None:
        """Raise HostError `config/invalid` where it names a capability or an argument that is not there."""
        if isinstance(self.readers, Lookup):
            known_capability(registry, self.readers.id)
        if self.call is None or "*" in self.call:
            return
        entry = known_capability(registry, self.call)
        names = None if entry is None else argument_names(entry)
        wanted = [self.parts()[0]] if self.argument is not None else []
        if isinstance(self.readers, list):
            wanted += [one[1:] for one in self.readers if one.startswith("$")]
        if isinstance(self.readers, Lookup):
            wanted += [one[1:] for one in self.readers.arguments.values() if str(one).startswith("$")]
        for name in wanted:
            if names is not None and name not in names:
                from rtfs.syntax.suggest import did_you_mean

                near = did_you_mean(name, names)
                raise invalid(
                    f'a flow rule names the argument {name!r}, which "{self.call}" has not',
                    f"did you mean {near}?" if near else f"it has {', '.join(names) or 'none'}",
                )


class Endorsement:
    """Values that are harmless whatever their source: those of a type, or those that a lookup lists."""

    __slots__ = ("lookup", "type")

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise invalid(f"an endorsement is a mapping, not {given!r}")
        check_keys(given, ("value", "members", "type", "field"), "an endorsement")
        self.lookup: Lookup | None = None
        self.type: Any = None
        if "type" in given:
            from rtfs.api import read_value
            from rtfs.types import parse_type
            from rtfs.values import UserError

            try:
                self.type = parse_type(read_value(_text(given["type"], "type")))
            except UserError as error:
                raise invalid(f"the type of an endorsement: {error.message}") from None
        elif given.get("members") is True:
            self.lookup = Lookup({"lookup": given.get("value"), "field": given.get("field")})
        else:
            raise invalid("an endorsement is {type: …} or {value: capability, members: true}")


class FlowRules:
    """All flow rules of a runtime. me: what `me` means in conditions: texts and look-ups. Raises HostError
    `config/invalid`."""

    __slots__ = ("_conditions", "endorsements", "me", "rules", "texts")

    def __init__(self, given: Any) -> None:
        options = given if isinstance(given, dict) else {"rules": given}
        check_keys(options, ("rules", "endorse", "me"), "flow")
        self.rules = [FlowRule(one) for one in _list(options.get("rules"))]
        self.endorsements = [Endorsement(one) for one in _list(options.get("endorse"))]
        self.me = [Lookup(one) if isinstance(one, dict) else str(one) for one in _list(options.get("me"))]
        patterns = [pattern for rule in self.rules for pattern in rule.patterns()]
        self._conditions = [one for one in patterns if any(isinstance(part, dict) for part in one.parts)]
        if not self.me and any(pattern.uses_me for pattern in patterns):
            raise invalid(
                "a flow rule names `me`, but nothing says who that is", "flow: {me: ann@example.com, rules: …}"
            )

    def check(self, registry: Registry) -> None:
        """Raise HostError `config/invalid` for a rule about what is not there."""
        for rule in self.rules:
            rule.check(registry)
        for one in self.endorsements:
            if one.lookup is not None:
                known_capability(registry, one.lookup.id)
        for me in self.me:
            if isinstance(me, Lookup):
                known_capability(registry, me.id)

    def looks_into(self, id: str) -> bool:
        """Whether a condition of a rule may be about objects in a capability's answers."""
        return any(glob(one.head, id) or one.head.startswith(id + ".") for one in self._conditions)

    def about(self, entry: Entry) -> list[FlowRule]:
        """The rules about calls of a capability."""
        named = [rule for rule in self.rules if rule.call is not None and glob(rule.call, entry.id)]
        general = [
            rule
            for rule in self.rules
            if rule.call is None and not (rule.unknown and named) and _has(entry, rule.effects)
        ]
        return named + general


def _has(entry: Entry, effects: tuple[str, ...]) -> bool:
    """Whether a capability has one of these effects; one of a server or of the embedder that says nothing may have
    any."""
    from rtfs.capabilities.registry import BUILTIN, GUEST

    own = entry.fields.effects
    if not own:
        return entry.route != GUEST and entry.origin != BUILTIN
    return any(one in effects for one in own)


def known_capability(registry: Registry, id: str, kind: str = "flow") -> Entry | None:
    """The entry of an id; None if a server may offer it. kind: of rule. Raises HostError `config/invalid` for an
    unknown one."""
    entry = registry.find(id)
    if entry is None and not registry.offered(id):
        error = registry.unknown(id)
        raise invalid(f'a {kind} rule names "{id}", which is not declared', error.hint)
    return entry


def argument_names(entry: Entry) -> list[str] | None:
    """The names of a capability's arguments; None if its declaration does not say."""
    if entry.signature is not None:
        return [*entry.signature.names, *([entry.signature.rest] if entry.signature.rest else [])]
    schema = entry.fields.input_schema
    if schema.__class__ is not Vector or not len(schema) or schema[0] is not Keyword("map"):
        return None
    names: list[str] = []
    for one in schema.to_list()[1:]:
        if one.__class__ is Vector and len(one) >= 2 and one[0].__class__ in (Keyword, str):
            names.append(str(getattr(one[0], "name", one[0])))
        elif one.__class__ is Map:
            continue
        else:
            return None
    return names


def parts_at(pair: Pair, names: list[str], scalars: bool = False) -> list[Pair]:
    """The values at a path with their tags, every element of a collection on the way; absent ones are left out.
    scalars: what is where a map should be counts, for its reader may take it for the value."""
    from rtfs.flow.tag import at_key, elements
    from rtfs.values.map import encode_key

    found = [pair]
    for name in names:
        inner: list[Pair] = []
        for value, tag in _opened(found):
            if value.__class__ is Map:
                for key in keys_of(name):
                    kid = at_key(value, tag, encode_key(key))
                    if kid is not None:
                        inner.append((value.get(key), kid.decided(tag.control)))
            elif value.__class__ in (Vector, List) and name.isdigit() and int(name) < len(value):
                inner.append(elements(value, tag)[int(name)])
            elif scalars and value is not None and value.__class__ not in (Vector, List, Set):
                inner.append((value, tag))
        found = inner
    return _opened(found)


def _opened(pairs: list[Pair]) -> list[Pair]:
    from rtfs.flow.tag import elements

    found: list[Pair] = []
    for value, tag in pairs:
        if value.__class__ in (Vector, List, Set) and len(value):
            found += _opened([(one, kid.decided(tag.structure())) for one, kid in elements(value, tag)])
        else:
            found.append((value, tag))
    return found


def value_at(arguments: Any, name: str) -> Any:
    """An argument of a call by name."""
    return field(arguments, name) if arguments.__class__ is Map else None


def values_at(arguments: Any, name: str) -> list[Any]:
    """The arguments of a call of that name, however it is spelled."""
    return fields(arguments, name) if arguments.__class__ is Map else []


def check_keys(given: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """Raise HostError `config/invalid` for a key that something does not have. what: it, with its article."""
    for key in given:
        if key not in known:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(str(key), known)
            raise invalid(f"{what} has no {key!r}", f"did you mean {near}?" if near else f"it has {', '.join(known)}")


def _patterns(given: Any, what: str) -> list[SourcePattern] | None:
    if given is None:
        return None
    if not isinstance(given, (list, tuple)):
        raise invalid(f"`{what}` is a list of sources")
    return [SourcePattern(one) for one in given]


def _list(given: Any) -> Iterable[Any]:
    return () if given is None else given if isinstance(given, (list, tuple)) else (given,)


def _text(given: Any, what: str) -> str:
    if not isinstance(given, str) or not given:
        raise invalid(f"`{what}` of a flow rule is a text, not {given!r}")
    return given


def invalid(message: str, hint: str | None = None) -> HostError:
    """The error of what is not a rule."""
    return HostError(message, code="config/invalid", hint=hint)
