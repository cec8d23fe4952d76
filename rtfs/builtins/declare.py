"""Declarations of standard functions: one decorator each, carrying signature, one-line doc and examples.

A function of the language cannot exist without them: `doc`, completion, the reference page, the arity hints and the
tests of the examples all derive from the record made here. Must not know which functions exist.
Invariant: a name (or alias) is declared once, and the Python function bears its RTFS name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class Missing:
    """The class of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()
"""Default of an optional parameter where nil is a meaningful argument; test with `is`."""


class Builtin:
    """One standard function.

    name: the RTFS name. signature: the call shape as text, `(nth coll index default?)`; a `?` marks an optional
    parameter, `& rest` any number of further ones. doc: one sentence. examples: pairs of an expression and the printed
    text of its value. function: what runs. aliases: further names for the same function.
    """

    __slots__ = ("aliases", "doc", "examples", "function", "name", "signature")

    def __init__(
        self,
        name: str,
        signature: str,
        doc: str,
        examples: tuple[tuple[str, str], ...],
        function: Callable[..., Any],
        aliases: tuple[str, ...],
    ) -> None:
        self.name = name
        self.signature = signature
        self.doc = doc
        self.examples = examples
        self.function = function
        self.aliases = aliases

    def __repr__(self) -> str:
        return f"Builtin({self.signature})"


REGISTRY: dict[str, Builtin] = {}
"""Every declaration by name, in the order of declaration; aliases are not keys."""

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Every name and alias to its function; `rtfs.builtins.CORE` is this dictionary, once all modules are in."""


def builtin(
    name: str, signature: str, doc: str, expression: str, printed: str, *more: str, aliases: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Declare the decorated function as the standard function `name`.

    signature, doc: see `Builtin`. expression, printed: an example and its value as `pr-str` prints it; `more`
    holds further such pairs, flat. aliases: further names. Raises AssertionError if a name is declared twice.
    """
    examples: tuple[tuple[str, str], ...] = ((expression, printed),)
    if more:
        examples += tuple(zip(more[::2], more[1::2], strict=True))

    def declare(function: F) -> F:
        function.__name__ = function.__qualname__ = name
        for key in (name, *aliases):
            if key in FUNCTIONS:
                raise AssertionError(f"the standard function {key} is declared twice")
            FUNCTIONS[key] = function
        REGISTRY[name] = Builtin(name, signature, doc, examples, function, aliases)
        return function

    return declare


def constant(name: str, value: Any, doc: str) -> None:
    """Declare a standard name for a value. Raises AssertionError if it is declared twice."""
    if name in FUNCTIONS:
        raise AssertionError(f"the standard name {name} is declared twice")
    FUNCTIONS[name] = value
    CONSTANTS[name] = doc


CONSTANTS: dict[str, str] = {}
"""Names of values that are not functions, with a line about each."""
