"""Code generation of keys that are spelled out as short vectors, as in `(get grid [x y])`, and are only looked for.

Knows nothing of nodes. Invariant: a `LookupKey` is made of integers, strings and keywords, and nothing but a look-up in
a dict ever sees it; for other elements the key is the vector itself.
"""

from __future__ import annotations

import ast

from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler.codegen.emitter import Emitter

LONGEST = 4
"""Elements of such a key, at most."""


def lookup_key(
    e: Emitter, key: ast.expr, line: int, *, after: ast.expr | None = None
) -> tuple[list[ast.expr], ast.expr, ast.expr] | None:
    """(tests whether the elements are simple, the key if they are, the vector), or None for any other key.

    The first of the tests may compute the elements, so it must come before either key is used. after: what has to be
    computed before the key; None if that is so anyway.
    """
    if not (isinstance(key, ast.Call) and isinstance(key.func, ast.Name) and key.func.id == " short"):
        return None
    display = key.args[0]
    if not isinstance(display, ast.Tuple) or not 0 < len(display.elts) <= LONGEST:
        return None
    held = [once(e, one, line) for one in display.elts]
    elements = [again for _, again in held]
    if any(isinstance(one, ast.Constant) and one.value.__class__ not in (int, str) for one in elements):
        return None
    tests: list[ast.expr] = []
    vector = py.pack(elements, line)
    if any(first is not again for first, again in held):
        if after is not None and not (isinstance(after, ast.Name) and after.id[-1] == " "):
            return None
        first, vector = once(e, py.pack([first for first, _ in held], line), line)
        tests.append(first)
    for one in elements:
        if not isinstance(one, ast.Constant) and not (isinstance(one, ast.Name) and one.id[0] == ":"):
            tests.append(py.compare(py.class_of(one, line), py.IN, py.name(" simple", line), line))
    return tests, py.call(" lookup_key", [vector], line), py.call(" short", [vector], line)
