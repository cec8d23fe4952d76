"""Hints for people who come from other languages never contradict this one."""

from __future__ import annotations

import re

import pytest

import rtfs
import rtfs.compiler.toplevel  # declares the special forms
from rtfs.compiler.analysis.special_forms import SPECIAL_FORMS
from rtfs.syntax.foreign_names import HINTS, hint_for


@pytest.fixture(scope="module")
def known() -> set[str]:
    with rtfs.Runtime() as runtime:
        environment = runtime.environment
        return {*environment.core, *environment.core_macros(), *SPECIAL_FORMS}


def test_no_name_of_the_language_has_a_hint(known: set[str]):
    assert [name for name in HINTS if name in known] == []


@pytest.mark.parametrize("name", HINTS)
def test_what_a_hint_proposes_exists(name: str, known: set[str]):
    proposed = re.findall(r"\(([a-z][^\s()\[\]{}]+) ", HINTS[name])
    assert [one for one in proposed if one not in known] == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("foo.bar/baz", "(import foo.bar)"),
        ("user.name", "(:name user)"),
        ("console.log", "(println value …)"),
        ("name.toUpperCase", "(upper text)"),
        ("world'", "double quotes"),
    ],
)
def test_names_that_are_put_together(name: str, part: str):
    hint = hint_for(name)
    assert hint is not None
    assert part in hint


def test_most_names_have_none():
    assert hint_for("my-function") is None
    assert hint_for("/") is None
