"""Calls that are seldom meant as they are written: texts that look like patterns, values that may be nil.

Invariant: a warning, never an error; it is about what is written at the place itself.
"""

from __future__ import annotations

from rtfs.checker.facts import UNKNOWN, Fact, kinds
from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.checker.inference import Inference

PATTERN, NULLABLE, UNREACHABLE = "lint/pattern", "lint/may-be-nil", "lint/unreachable"

_TAKES_TEXT = frozenset(
    ("split", "replace", "string-replace", "clojure.string/split", "clojure.string/replace",
     "clojure.string/replace-first", "replace-first", "string-split")
)  # fmt: skip
"""Functions whose second argument is a text that is looked for as it is, or a pattern."""
_SIGNS = ("\\s", "\\d", "\\w", "\\b", "\\S", "\\D", "\\W", "\\.", "]+", "]*", ".*", ".+", "(?")


def warn_of_text_for_pattern(inference: Inference, name: str, node: nodes.Invoke, arguments: list[Fact]) -> None:
    """Warn of a text that reads like a regular expression where texts are taken as they are."""
    text = arguments[1].value if name in _TAKES_TEXT and len(arguments) > 1 else UNKNOWN
    if text.__class__ is str and any(sign in str(text) for sign in _SIGNS):
        inference.report(
            PATTERN,
            "this text is looked for as it is; it reads like a regular expression",
            node.arguments[1].at or node.at,
            hint=f'write #"{text}" for one',
            severity="warning",
            span=inference.argument_span(node, 1, name),
        )


def warn_of_nil(
    inference: Inference, name: str, node: nodes.Invoke, place: int, taken: frozenset[str], fact: Fact
) -> None:
    """Warn of a value under a key that is declared to be nil at times, where the function takes no nil."""
    if fact.kinds is None or "nil" not in fact.kinds or "nil" in taken or fact.kinds <= kinds("nil"):
        return
    argument = node.arguments[place]
    if isinstance(argument, nodes.Primitive) and argument.operation == "keyword_get" and len(argument.arguments) == 2:
        held = inference.quietly(argument.arguments[1])
        if held.kinds is None or "nil" in held.kinds:  # it may be missing, which its declaration does not say
            return
        key = argument.arguments[0]
        shown = key.value if isinstance(key, nodes.Const) else "it"
        inference.warn(
            NULLABLE,
            f"{shown} may be nil here, which ({name} …) does not take",
            argument.at,
            hint="test it first, or give another value: (or … default)",
        )


def warn_of_unreachable(inference: Inference, node: nodes.If) -> None:
    """Warn of the branch that a test which is a constant rules out."""
    if not isinstance(node.test, nodes.Const):
        return
    never = node.orelse if node.test.value is not None and node.test.value is not False else node.then
    if isinstance(never, nodes.Const) or not never.at or never.at == node.at:
        return
    span, whole = inference.span_at(never.at), inference.span_at(node.at)
    if span is None or (whole is not None and span.start == whole.start):
        return
    inference.warn(UNREACHABLE, "nothing gets here: the test before it is a constant", never.at)
