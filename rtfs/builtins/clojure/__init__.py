"""The built-in namespaces: which there are, their usual aliases, and loading one when a program first names it.

A namespace is a line in `NAMESPACES` and a module whose import declares its functions with `@builtin` under their full
names ("clojure.string/upper-case"). Must not know programs or their aliases. Invariant: a program that uses no
namespace imports none of these modules.
"""

from __future__ import annotations

from rtfs.builtins.declare import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CORE_NAMESPACE = "clojure.core"
"""Names of this one are the standard functions, macros and special forms themselves."""

NAMESPACES: dict[str, str] = {
    "clojure.string": "rtfs.builtins.clojure.string",
    "clojure.set": "rtfs.builtins.clojure.set",
    "clojure.math": "rtfs.builtins.clojure.math",
    "clojure.walk": "rtfs.builtins.clojure.walk",
    "clojure.edn": "rtfs.builtins.clojure.edn",
    "clojure.data.json": "rtfs.builtins.clojure.json",
    "cheshire.core": "rtfs.builtins.clojure.json",
}
"""Namespace → the Python module that declares it."""

METHODS = "java.methods"
"""The namespace of Java's methods (`.toUpperCase`); programs name them without it."""

CLASSES: dict[str, str] = {
    "Math": "rtfs.builtins.clojure.java_math",
    **dict.fromkeys(
        ("Boolean", "Character", "Double", "Float", "Integer", "Long", "String"), "rtfs.builtins.clojure.java_classes"
    ),
    METHODS: "rtfs.builtins.clojure.java_methods",
}
"""Java's classes with pure static methods, which are named like namespaces but need no `require`."""

USUAL_ALIASES: dict[str, tuple[str, ...]] = {
    "str": ("clojure.string",),
    "string": ("clojure.string",),
    "set": ("clojure.set",),
    "walk": ("clojure.walk",),
    "math": ("clojure.math",),
    "edn": ("clojure.edn",),
    "json": ("clojure.data.json", "cheshire.core"),
}
"""Aliases that a program need not define, and their namespaces."""

_loaded: dict[str, dict[str, Any]] = {}


def exists(name: str) -> bool:
    """Whether there is a built-in namespace of that name."""
    return name in NAMESPACES or name in CLASSES or name == CORE_NAMESPACE


def load(name: str) -> dict[str, Any]:
    """The functions and constants of a namespace by full name; its module is imported at the first call."""
    found = _loaded.get(name)
    if found is None:
        __import__(NAMESPACES.get(name) or CLASSES[name])
        prefix = "." if name == METHODS else name + "/"
        found = _loaded[name] = {full: value for full, value in FUNCTIONS.items() if full.startswith(prefix)}
    return found


def load_all() -> None:
    """Declare every namespace, for tools that list what there is."""
    for name in (*NAMESPACES, *CLASSES):
        load(name)


def short_names(name: str) -> list[str]:
    """The names of a namespace without its prefix, sorted."""
    return sorted(full[len(name) + 1 :] for full in load(name))
