"""docs/clojure.md says of every public name of Clojure's what is true."""

from __future__ import annotations

import pytest

from tests.clojure.page import PAGE, differences, known_names, names, reason, render

KNOWN = known_names()
ABSENT = [(namespace, name) for namespace, name in names() if f"{namespace}/{name}" not in KNOWN]


def test_the_page_is_what_names_and_declarations_say():
    assert PAGE.read_text(encoding="utf-8") == render(), "python -m tests.clojure.page --write"


@pytest.mark.parametrize(("namespace", "name"), ABSENT)
def test_an_absent_name_says_what_to_write(namespace: str, name: str):
    assert reason(namespace, name) is not None


def test_what_differs_is_there():
    public = {f"{namespace}/{name}" for namespace, name in names()}
    assert set(differences()) <= public
    assert set(differences()) <= KNOWN
