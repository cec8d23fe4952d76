"""Predicates of kind."""

from __future__ import annotations

from typing import Any

import pytest

from rtfs.builtins import CORE
from rtfs.values import EvalError, Keyword, List, Map, Symbol, Vector

SAMPLES: dict[str, Any] = {
    "nil": None,
    "boolean": True,
    "integer": 1,
    "float": 1.0,
    "string": "a",
    "keyword": Keyword("a"),
    "symbol": Symbol("a"),
    "vector": Vector(),
    "list": List(),
    "map": Map(),
    "function": CORE["inc"],
    "error": EvalError("user/error", "x"),
}
PREDICATES = {
    "nil?": {"nil"},
    "bool?": {"boolean"},
    "boolean?": {"boolean"},
    "int?": {"integer"},
    "integer?": {"integer"},
    "float?": {"float"},
    "number?": {"integer", "float"},
    "string?": {"string"},
    "keyword?": {"keyword"},
    "symbol?": {"symbol"},
    "vector?": {"vector"},
    "list?": {"list"},
    "map?": {"map"},
    "fn?": {"function"},
    "coll?": {"vector", "list", "map"},
    "some?": SAMPLES.keys() - {"nil"},
}


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_predicate_holds_for_its_kinds_only(predicate: str) -> None:
    assert {kind for kind, value in SAMPLES.items() if CORE[predicate](value) is True} == PREDICATES[predicate]
    assert all(type(CORE[predicate](value)) is bool for value in SAMPLES.values())


@pytest.mark.parametrize("kind", SAMPLES)
def test_type_name(kind: str) -> None:
    assert CORE["type-name"](SAMPLES[kind]) == kind
