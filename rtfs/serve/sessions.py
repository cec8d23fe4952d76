"""Sessions of code mode: what the plans of one conversation have defined is there for the next.

Must not know how plans run. A session is a name that a model gives, of one principal; it has nothing to do with the
sessions of transports or servers. A kept function, macro or type is the text that defined it, a kept value (`def`) is
data, which comes back through the context. Invariants: nothing of a session is done again: what had calls is kept as
the value that came out, or not at all; there are never more than so many characters; a place in a plan's text is that
of the text which the model wrote.
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from rtfs.serve.session_source import SessionSource
from rtfs.source import Source
from rtfs.syntax.reader import read_forms, read_value
from rtfs.values import HostError, List, Symbol, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIFE = 3_600.0
"""Seconds that a session is kept after its last plan."""
MOST = 50
"""Sessions of one principal."""
IN_ALL = 1_000
"""Sessions in all."""
TEXT = 100_000
"""Characters of the definitions of one session."""
VALUE = 200_000
"""Characters of one value."""
VALUES = 2_000_000
"""Characters of the values of one session."""
LONGEST_NAME = 100
MARK = "; what follows tells the session of its values"
"""The line in a composed text after which a program's value is wrapped."""
_TEXTS = frozenset(("capability", "defmacro", "defn", "defn-", "deftype", "import", "require", "use"))
"""Forms that are kept as text."""
_LAST = frozenset((*_TEXTS, "module", "ns", "plan", "export"))
"""Forms without a value, and forms that may be at the top level only."""


class Definition:
    """A definition of a session. text: the form; value: None, or what a `def` came to. size: in characters."""

    __slots__ = ("name", "size", "text", "value")

    def __init__(self, name: str, text: str, value: Any = None, size: int = 0) -> None:
        self.name = name
        self.text = text
        self.value = value
        self.size = size or len(text)


class PlanSession:
    """The definitions that one session has kept, in their order."""

    def __init__(self) -> None:
        self.used = monotonic()
        self._kept: dict[str, Definition] = {}

    @property
    def names(self) -> list[str]:
        """The defined names."""
        return [one.name for one in self._kept.values()]

    def compose(self, text: str, name: str, values: bool = True) -> Composed:
        """A plan with the definitions before it. values: whether its own values are to be told."""
        return Composed(list(self._kept.values()), text, name, values)

    def keep(self, found: list[Definition]) -> dict[str, str]:
        """Keep definitions; those that are too large are not, with the reason by name."""
        refused: dict[str, str] = {}
        for one in found:
            most, large = (TEXT, "definitions") if one.value is None else (VALUES, "values")
            others = [
                kept.size
                for key, kept in self._kept.items()
                if key != one.name and (kept.value is None) == (one.value is None)
            ]
            if sum(others) + one.size > most:
                refused[one.name] = f"the {large} of a session have at most {most:,} characters"
                continue
            self._kept.pop(one.name, None)
            self._kept[one.name] = one
        return refused


class PlanSessions:
    """The sessions of one server, the one used longest ago first."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[str, str], PlanSession] = OrderedDict()

    def session(self, principal: str, name: str) -> PlanSession:
        """The session of this name, which begins empty. Raises HostError `serve/arguments`."""
        if not name.strip() or len(name) > LONGEST_NAME:
            raise HostError(f"a session is named by 1 to {LONGEST_NAME} characters", code="serve/arguments")
        now = monotonic()
        while self._sessions and next(iter(self._sessions.values())).used < now - LIFE:
            self._sessions.popitem(last=False)
        key = (principal, name)
        session = self._sessions.pop(key, None) or PlanSession()
        session.used = now
        own = [one for one in self._sessions if one[0] == principal]
        for old in own[: len(own) + 1 - MOST]:
            del self._sessions[old]
        if len(self._sessions) >= IN_ALL:
            self._sessions.popitem(last=False)
        self._sessions[key] = session
        return session


class Composed:
    """A plan of a session as it runs: kept definitions, the plan, and what tells of the values that it defines.

    source: of the whole. context: kept values, by the names that the text has for them. wrapped: whether the program's
    value is that of the plan and the texts of its values, by name."""

    def __init__(self, kept: list[Definition], text: str, name: str, values: bool) -> None:
        self._forms = _top_level(text, name)
        self._defined = {name for _, name, _, _ in self._forms if name}
        kept = [one for one in kept if one.name not in self._defined]
        whole = "\n".join([text, *(one.text for one in kept if one.value is None)])
        needed = [one for one in kept if one.value is None or one.name in whole]
        self.context = {f"kept-{n}": one.value[0] for n, one in enumerate(needed) if one.value is not None}
        lines = [one.text if one.value is None else f"(def {one.name} @kept-{n})" for n, one in enumerate(needed)]
        self._values = [name for head, name, _, _ in self._forms if head == "def"]
        self.wrapped = values and bool(self._values) and self._forms[-1][0] != "plan"
        before, at, after = "".join(f"{line}\n" for line in lines), 0, ""
        between = ""
        if self.wrapped:
            told = " ".join(
                f'"{name}" (if (or (not (coll? {name})) (counted? {name})) (pr-str {name}))' for name in self._values
            )
            head, _, start, _ = self._forms[-1]
            if head in _LAST:
                at, after = len(text), f"\n{MARK}\n[nil {{{told}}}]"
            else:
                at, between, after = start, "\n[\n", f"\n{MARK}\n{{{told}}}]"
        self.source = SessionSource(Source(text, name), before, at, between, after)

    def unwrap(self, value: Any) -> tuple[Any, dict[str, Any]]:
        """The value of the plan, and the texts of its definitions' values by name."""
        if not self.wrapped:
            return value, {}
        return value[0], dict(value[1].items())

    def definitions(self, texts: dict[str, Any], effects: bool) -> tuple[list[Definition], dict[str, str]]:
        """The definitions to keep of a finished plan, and the reasons why others are not kept. texts: of its values,
        as `unwrap` returns them. effects: whether it can call anything, so that no value may be computed
        again."""
        found: list[Definition] = []
        refused: dict[str, str] = {}
        for head, name, start, end in self._forms:
            text = self.source.original.text[start:end]
            if head in _TEXTS:
                found.append(Definition(name or text, text))
            elif head == "def":
                printed = str(texts.get(name) or "")
                value = None if len(printed) > VALUE else _value(printed)
                if value is not None:
                    found.append(Definition(name, text, value, len(printed)))
                elif len(printed) > VALUE:
                    refused[name] = f"it has more than {VALUE:,} characters"
                elif not effects:
                    found.append(Definition(name, text))
                elif self.wrapped:
                    refused[name] = "its value is not data, and the plan has calls, which are not made again"
                else:
                    refused[name] = "the values of a run that may wait for a person are not kept"
        return found, refused


def value_of_plan(text: str, value: Any) -> Any:
    """The value of a plan whose run was continued; the text of the run may have been composed."""
    return value[0] if f"\n{MARK}\n" in text else value


def _value(printed: str) -> tuple[Any] | None:
    """The value of a text, in a tuple; None for a text that is not one of data."""
    if not printed or "#<" in printed:
        return None
    try:
        return (read_value(Source(printed)),)
    except UserError:
        return None


def _top_level(text: str, name: str) -> list[tuple[str, str, int, int]]:
    """Head, defined name, start and end of each form; none for a text that cannot be read."""
    try:
        forms = read_forms(Source(text, name))
    except UserError:
        return []
    found = []
    for form, span in zip(forms, forms.spans, strict=True):
        items = form.to_list() if form.__class__ is List else []
        head = items[0].name if items and items[0].__class__ is Symbol else ""
        names = head.startswith("def") or head == "capability"
        defined = items[1] if names and len(items) > 1 else ""
        name = defined.name if defined.__class__ is Symbol else str(defined)
        found.append((head, name, span.start, span.end))
    return found
