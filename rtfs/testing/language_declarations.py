"""Everything the language declares, gathered: special forms, macros and functions with signature, doc and examples.

Reads declarations only: the registries of the compiler and the builtins, and the text of stdlib/*.rtfs. Invariant: the
order is that of the declarations, so that what is made from them changes only when they do.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass
from typing import Any

_EXAMPLE = re.compile(r"^;; (.+?) (?:=> (.+)|(;! .+))$")
_DEFINITION = re.compile(r"^\((defmacro|defn)\s+(\S+)")


@dataclass(frozen=True)
class Declaration:
    """One name. kind: form, macro or function. topic: its heading. examples: (expression, value or `;! code`)."""

    kind: str
    topic: str
    name: str
    signature: str
    doc: str
    examples: tuple[tuple[str, str], ...]
    aliases: tuple[str, ...] = ()


def all_declarations() -> list[Declaration]:
    """Special forms, then the macros and functions written in RTFS, then the functions written in Python."""
    return [*special_forms(), *standard_library(), *functions()]


def special_forms() -> list[Declaration]:
    """The special forms that the compiler knows."""
    import rtfs.compiler.forms
    from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS

    for module in pkgutil.iter_modules(rtfs.compiler.forms.__path__):
        importlib.import_module(f"rtfs.compiler.forms.{module.name}")
    return [
        Declaration(
            "form", "Special forms", name, form.shape, form.doc, tuple(form.examples), _aliases(SPECIAL_FORMS, name)
        )
        for name, form in sorted(SPECIAL_FORMS.items())
        if form.name == name
    ]


def _aliases(table: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(other for other, form in table.items() if form.name == name and other != name)


def functions() -> list[Declaration]:
    """The builtins, by topic."""
    import rtfs.builtins.clojure
    from rtfs.builtins.declare import REGISTRY

    rtfs.builtins.clojure.load_all()
    found = [
        Declaration("function", _topic(b.function), b.name, b.signature, b.doc, tuple(b.examples), tuple(b.aliases))
        for b in REGISTRY.values()
    ]
    return sorted(found, key=lambda d: (d.topic, d.name))


def _topic(function: Any) -> str:
    """The heading of a builtin: what the first line of its module's docstring says before a colon or full stop."""
    module = inspect.getmodule(function)
    first = (inspect.getdoc(module) or "Functions").split("\n")[0]
    return re.split(r"[:;]|\.$", first)[0].strip()


def standard_library() -> list[Declaration]:
    """The documented definitions of stdlib/*.rtfs, but for names that start with `-` or `%`.

    Their examples are comment lines above them: `;; (f 1) => 2`, or `;; (f "x") ;! type/mismatch` for an error.
    """
    import rtfs

    found = []
    for name in ("core", "prelude"):
        examples: list[tuple[str, str]] = []
        text = stdlib_text(f"{name}.rtfs")
        forms = iter(rtfs.read(text))
        starts = {form.info.start: form for form in forms if getattr(form, "info", None) is not None}
        at = 0
        for line in text.splitlines(keepends=True):
            example = _EXAMPLE.match(line.rstrip())
            if example is not None:
                examples.append((example[1], example[2] or example[3]))
            elif _DEFINITION.match(line) and at in starts:
                declared = _declaration(name, starts[at], tuple(examples))
                if declared is not None:
                    found.append(declared)
                examples = []
            at += len(line)
    return found


def stdlib_text(name: str) -> str:
    """The text of a file of stdlib/, from the checkout or the installed package."""
    from rtfs.syntax import resources

    return resources.resource_text(f"stdlib/{name}")


def _declaration(file: str, form: Any, examples: tuple[tuple[str, str], ...]) -> Declaration | None:
    """The declaration that a `(defn name "doc" [params] …)` of the standard library makes; None if it has no doc."""
    import rtfs

    items = list(form)
    name, kind = str(items[1]), "macro" if str(items[0]) == "defmacro" else "function"
    if len(items) < 4 or not isinstance(items[2], str) or name[0] in "-%":
        return None
    heads = [items[3]] if isinstance(items[3], rtfs.Vector) else [clause[0] for clause in items[3:]]
    shapes = [f"({' '.join([name, *(rtfs.to_text(p) for p in head)])})" for head in heads]
    topic = "Macros" if kind == "macro" else ("Prelude" if file == "prelude" else "Functions written in RTFS")
    return Declaration(kind, topic, name, "  ".join(shapes), items[2], examples)
