"""What an editor is told about a text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rtfs
from rtfs.cli.lsp import offset, position
from rtfs.host.language_service import Document

TEXT = '(defn area [w h] (* w h))\n(area 2 3)\n(count "a")\n(call "ccos.data.parse-json" "1")\n(def half 0.5)\n'


@pytest.fixture
def document() -> Iterator[Document]:
    with rtfs.Runtime() as runtime:
        yield Document(runtime, rtfs.Source(TEXT, "plan.rtfs"))


def test_hover_shows_own_functions_standard_ones_and_capabilities(document: Document):
    assert document.hover(TEXT.index("area 2")) == "(area w h)\ndefined in line 1"
    assert str(document.hover(TEXT.index("count"))).startswith("(count ")
    assert "JSON" in str(document.hover(TEXT.index("parse-json")))
    assert document.hover(TEXT.index('"a"')) is None


def test_completion_gives_ids_within_a_string_and_names_elsewhere(document: Document):
    inside = TEXT.index("parse-json") + 3
    assert ("ccos.data.parse-json", "capability") in document.completions(inside)
    assert document.completions(TEXT.index("area 2") + 2)[0] == ("area", "(area w h)")
    assert "count" in [name for name, _ in document.completions(TEXT.index("count") + 3)]


def test_a_name_is_found_where_it_is_defined(document: Document):
    span = document.definition(TEXT.index("area 2"))
    assert span is not None
    assert span.start == 0
    assert [name for name, _, _ in document.definitions()] == ["area", "half"]


def test_references_are_those_of_the_definition_and_not_of_locals_of_its_name():
    text = "(defn rate [n] (* n 2))\n(let [x (rate 1)] (map rate [x]))\n(let [rate 5] (+ rate 1))\n"
    with rtfs.Runtime() as runtime:
        found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    places = [span.start for span in found.references(text.index("rate 1)]"))]
    assert places == [6, text.index("rate 1)]"), text.index("rate [x]")]
    assert found.references(6) != []
    assert found.references(text.index("rate 5")) == []
    assert found.references(text.index("+ rate") + 2) == []


def test_a_half_typed_text_is_answered_for():
    text = "(defn f [x] x)\n(f (coun"
    with rtfs.Runtime() as runtime:
        found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    assert [one.code for one in found.analysis.errors] == ["reader/unclosed", "reader/unclosed"]
    assert "count" in [name for name, _ in found.completions(len(text))]


def test_columns_are_counted_in_utf_16_units():
    text = "a\n\U0001f600b\nc"
    assert position(text, 3) == (1, 2)
    assert offset(text, 1, 2) == 3
    assert offset(text, 9, 0) == len(text)
    assert [offset(text, *position(text, at)) for at in range(len(text) + 1)] == list(range(len(text) + 1))
