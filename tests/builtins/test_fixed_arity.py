"""Functions for one number of arguments answer as the standard functions do, errors included."""

from __future__ import annotations

import itertools

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.fixed_arity import EXACT
from rtfs.syntax.printer import to_text
from rtfs.values import Keyword, List, Map, UserError, Vector

A = Keyword("a")
VALUES = [
    None, True, 0, 1, 2, -1, 1.0, float("nan"), "", "ab", A, Vector(), Vector([1, 2]), List([3]), Map(),
    Map({A: 1}), Map({1.0: 2}), Map({A: Map({A: 5})}), Vector([A, A]), CORE["inc"], CORE["str"],
]  # fmt: skip


def outcome(function, arguments) -> str:
    try:
        return to_text(function(*arguments))
    except TypeError as error:  # of a value that is called and is no function, or of too many arguments
        return str(error)
    except UserError as error:
        return f"{error.code}: {error.message} {error.hint}"


@pytest.mark.parametrize(("name", "count"), EXACT)
def test_the_answer_is_that_of_the_standard_function(name: str, count: int):
    values = VALUES[:: 1 if count < 4 else 3 if count < 6 else 7]
    for arguments in itertools.product(values, repeat=count):
        assert outcome(EXACT[name, count], arguments) == outcome(CORE[name], arguments), (name, arguments)
