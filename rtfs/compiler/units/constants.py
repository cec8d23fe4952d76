"""Quoted values as flat data that `marshal` can hold, and back.

Knows nothing of code. Invariant: both ways are iterative, so deeply nested constants are as good as others; the marks
that templates leave on symbols survive.
"""

from __future__ import annotations

from rtfs.compiler.marks import TemplateMark
from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A constant is a tuple of steps for a stack machine: atoms push themselves, (tag, …) does what the tag says.
_KEYWORD, _SYMBOL, _LIST, _VECTOR, _MAP, _SET, _REGEX, _MARKED = "k", "s", "l", "v", "m", "e", "r", "t"


def encode(value: Any) -> tuple[Any, ...]:
    """Flat, marshallable form of a value made of atoms, symbols, lists, vectors, maps and sets."""
    steps: list[Any] = []
    pending: list[Any] = [value]
    # written backwards: a collection's step comes before its parts here, after them in the result
    while pending:
        one = pending.pop()
        kind = one.__class__
        if kind is Keyword:
            steps.append((_KEYWORD, one.name))
        elif kind is Symbol:
            mark = one.info
            if mark.__class__ is TemplateMark:
                steps.append((_MARKED, one.name, mark.module))
            else:
                steps.append((_SYMBOL, one.name))
        elif kind is List or kind is Vector:
            steps.append((_LIST if kind is List else _VECTOR, len(one)))
            pending.extend(one)
        elif kind is Map:
            steps.append((_MAP, len(one)))
            for key, item in one.items():
                pending.append(key)
                pending.append(item)
        elif kind is Set:
            steps.append((_SET, len(one)))
            pending.extend(one)
        elif kind is Regex:
            steps.append((_REGEX, one.pattern))
        else:
            steps.append(one)
    steps.reverse()
    return tuple(steps)


def decode(steps: tuple[Any, ...]) -> Any:
    """The value that `encode` took apart."""
    stack: list[Any] = []
    for step in steps:
        if step.__class__ is not tuple:
            stack.append(step)
            continue
        tag = step[0]
        if tag is _KEYWORD or tag == _KEYWORD:
            stack.append(Keyword(step[1]))
        elif tag == _SYMBOL:
            stack.append(Symbol(step[1]))
        elif tag == _MARKED:
            stack.append(Symbol(step[1], TemplateMark(step[2])))
        elif tag == _REGEX:
            stack.append(Regex(step[1]))
        else:
            count = step[1] * (2 if tag == _MAP else 1)
            parts = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            if tag == _LIST:
                stack.append(List.of(parts))
            elif tag == _VECTOR:
                stack.append(Vector.of(parts))
            elif tag == _SET:
                stack.append(Set(parts))
            else:
                stack.append(Map(zip(parts[::2], parts[1::2], strict=True)))
    return stack[0]
