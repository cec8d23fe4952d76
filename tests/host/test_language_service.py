"""What an editor is told about a text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rtfs
from rtfs.cli.lsp import offset, position
from rtfs.host.language_service.completion import completions
from rtfs.host.language_service.document import Document
from rtfs.host.language_service.navigation import definition, references, uses_of
from rtfs.host.language_service.signatures import signature
from rtfs.host.language_service.tokens import folds, tokens

TEXT = '(defn area [w h] (* w h))\n(area 2 3)\n(count "a")\n(call "ccos.data.parse-json" "1")\n(def half 0.5)\n'
ISSUES = (
    '(capability "shop.issues" :description "Lists issues" :input-schema [:map [:owner :string] '
    '[:state [:enum "open" "closed"] ?] [:loud :bool ?] [:page [:map [:size :int] [:order [:enum :up :down]]] ?]] '
    ":output-schema :any :provider :x)"
)
MODULE = "(module shop.prices\n  (:exports [rate])\n  (defn rate [n]\n    (* n 2)))\n"


@pytest.fixture
def runtime() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as made:
        made.load(ISSUES, "issues.rtfs")
        yield made


@pytest.fixture
def document(runtime: rtfs.Runtime) -> Document:
    return Document(runtime, rtfs.Source(TEXT, "plan.rtfs"))


def offered(runtime: rtfs.Runtime, text: str) -> list[str]:
    """What can be written at the `|` of a text."""
    at = text.index("|")
    found = Document(runtime, rtfs.Source(text.replace("|", ""), "plan.rtfs"))
    return [one.text for one in completions(found, at)]


def test_hover_shows_own_functions_standard_ones_and_capabilities(document: Document):
    assert document.hover(TEXT.index("area 2")) == "(area w h)\ndefined in line 1"
    assert str(document.hover(TEXT.index("count"))).startswith("(count ")
    assert str(document.hover(TEXT.index("defn"))).startswith("(defn ")
    assert "JSON" in str(document.hover(TEXT.index("parse-json")))
    assert document.hover(TEXT.index('"a"')) is None


def test_completion_gives_ids_within_a_string_and_names_elsewhere(runtime: rtfs.Runtime):
    assert "ccos.data.parse-json" in offered(runtime, '(call "ccos.data.pa|rse-json")')
    assert offered(runtime, '(str "ccos.data.pa|")') == []
    assert offered(runtime, "(defn area [w h] (* w h))\n(ar|")[0] == "area"
    assert {"count", "counted?"} <= set(offered(runtime, "(cou|nt 1)"))
    assert "defn" in offered(runtime, "(def|")
    assert "when-let" in offered(runtime, "(when-|")
    assert offered(runtime, "(let [quality 1] (+ 1 qual|")[0] == "quality"
    assert offered(runtime, "; cou|") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('(call "shop.issues" {|})', [":owner", ":state", ":loud", ":page"]),
        ('(call "shop.issues" {:owner "a" :|})', [":state", ":loud", ":page"]),
        ('(call "shop.issues" {:owner "a" :st|', [":state"]),
        ('(call "shop.issues" {:state |})', ['"open"', '"closed"']),
        ('(call "shop.issues" {:state "o|"})', ['"open']),
        ('(call "shop.issues" {:state "cl|', ['"closed"']),
        ('(call "shop.issues" {:loud |})', ["true", "false"]),
        ('(call "shop.issues" {:loud t|})', ["true"]),
        ('(call "shop.issues" {:page {|}})', [":size", ":order"]),
        ('(call "shop.issues" {:page {:order :|}})', [":up", ":down"]),
        ('(call "shop.issues" :owner "a" :s|)', [":state"]),
        ('(call "shop.issues" :owner "a" :state |)', ['"open"', '"closed"']),
        ('(call :shop.issues {:owner "a" :l|})', [":loud"]),
        ('(call "shop.issues" {:owner "a|"})', []),
        ('(let [x 1]\n  (call "shop.issues" {:st|', [":state"]),
    ],
)
def test_argument_keys_and_listed_values_are_completed(runtime: rtfs.Runtime, text: str, wanted: list[str]):
    assert offered(runtime, text) == wanted


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("(defn area [w h] 1)\n(area 2 |)", "(area w h)", "h"),
        ("(area |)\n(defn area [w h] 1)", "(area w h)", "w"),
        ("(assoc m |", "(assoc coll key value & more)", "key"),
        ("(if true |)", "(if test then else?)", "then"),
        ("(+ 1 2 3 |)", None, None),
        ('(call "shop.issues" {:owner "a" :state |})', None, ":state"),
        ('(call "shop.issues" {:page {:size |}})', None, ":page"),
        ("(str/join |)", None, None),
        ("(nobody-knows |)", "", None),
        ("; (assoc |", "", None),
    ],
)
def test_the_call_around_a_place_is_described(runtime: rtfs.Runtime, text: str, label: str | None, active: str | None):
    at = text.index("|")
    found = signature(Document(runtime, rtfs.Source(text.replace("|", ""), "plan.rtfs")), at)
    if label == "":
        assert found is None
        return
    assert found is not None
    assert label is None or found.label == label
    assert all(one in found.label for one in found.parameters)
    if active is not None:
        assert found.active is not None
        assert found.parameters[found.active] == active


def test_a_name_is_found_where_it_is_defined(document: Document):
    span = definition(document, TEXT.index("area 2"))
    assert span is not None
    assert span.start == 0
    assert [name for name, _, _ in document.definitions()] == ["area", "half"]


def test_locals_are_found_where_they_are_bound(runtime: rtfs.Runtime):
    text = "(defn f [aa bb]\n  (let [cc (+ aa 1)\n        aa 5]\n    (+ aa bb cc)))"
    document = Document(runtime, rtfs.Source(text, "plan.rtfs"))

    def place(at: int) -> int:
        span = definition(document, at)
        assert span is not None
        return span.start

    assert place(text.index("aa 1")) == text.index("aa bb")
    assert place(text.index("aa bb cc")) == text.index("aa 5")
    assert place(text.index("bb cc")) == text.index("bb]")
    assert place(text.index("cc)))")) == text.index("cc (+")


def test_definitions_in_modules_declarations_and_loaded_files_are_found(
    tmp_path: Path, runtime: rtfs.Runtime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "prices.rtfs").write_text(MODULE, "utf-8")
    runtime.load("(defn helper [x] x)", "helpers.rtfs")
    text = (
        "(import shop.prices :as p)\n(import shop.prices :only [rate])\n(p/rate (rate (helper 1)))\n"
        '(call "shop.issues" {:owner "a"})\n(call :shop.issues {:owner "a"})\n'
    )
    path = tmp_path / "plan.rtfs"
    path.write_text(text, "utf-8")
    document = Document(runtime, rtfs.Source(text, str(path)))
    assert document.analysis.errors == []
    for word in ("p/rate", "rate (helper"):
        span = definition(document, text.index(word) + 1)
        assert span is not None
        assert Path(span.source.name) == tmp_path / "shop" / "prices.rtfs"
        assert span.text.startswith("(defn rate [n]")
    span = definition(document, text.index("helper"))
    assert span is not None
    assert span.source.name == "helpers.rtfs"
    for word in ("shop.issues", ":shop.issues"):
        span = definition(document, text.index(word) + 1)
        assert span is not None
        assert span.source.name == "issues.rtfs"
    assert "rate" in [one.text for one in completions(document, text.index("rate (helper") + 2)]
    uses = uses_of(document, str(tmp_path / "shop" / "prices.rtfs"), "rate")
    assert sorted([span.start for span in uses]) == [text.index("p/rate") + 2, text.index("rate (helper")]


def test_references_are_those_of_the_definition_and_not_of_locals_of_its_name(runtime: rtfs.Runtime):
    text = "(defn rate [n] (* n 2))\n(let [x (rate 1)] (map rate [x]))\n(let [rate 5] (+ rate 1))\n"
    found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    places = [span.start for span in references(found, text.index("rate 1)]"))]
    assert places == [6, text.index("rate 1)]"), text.index("rate [x]")]
    assert references(found, 6) != []
    assert references(found, text.index("rate 5")) == []
    assert references(found, text.index("+ rate") + 2) == []


def test_a_half_typed_text_is_answered_for(runtime: rtfs.Runtime):
    text = "(defn f [x] x)\n(f (coun"
    found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    assert [one.code for one in found.analysis.errors] == ["reader/unclosed", "reader/unclosed"]
    assert "count" in [one.text for one in completions(found, len(text))]
    assert list(tokens(found))
    help = signature(found, len(text))
    assert help is not None
    assert help.label.startswith("(f x)") or help.label.startswith("(count")


def test_words_have_kinds(runtime: rtfs.Runtime):
    text = '; note\n(defn f [x] (when x (count "a" :k 1 nil #"b")))\n(f 1)'
    found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    kinds = [(text[start:end], kind) for start, end, kind in tokens(found)]
    assert kinds == [
        ("; note", "comment"), ("defn", "keyword"), ("f", "function"), ("x", "variable"), ("when", "macro"),
        ("x", "variable"), ("count", "function"), ('"a"', "string"), (":k", "property"), ("1", "number"),
        ("nil", "keyword"), ('#"b"', "regexp"), ("f", "function"), ("1", "number"),
    ]  # fmt: skip


def test_forms_and_comments_of_several_lines_fold(runtime: rtfs.Runtime):
    text = "; one\n; two\n(defn f [x]\n  (let [y 1]\n    y))\n(f 1)\n"
    found = Document(runtime, rtfs.Source(text, "plan.rtfs"))
    assert sorted(folds(found)) == [(0, 1, True), (2, 4, False), (3, 4, False)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_are_counted_in_the_units_of_the_client(encoding: str):
    source = rtfs.Source("a\n\U0001f600b\nc")
    size = len(source.text)
    assert position(source, 3, encoding) == (1, {"utf-8": 4, "utf-16": 2, "utf-32": 1}[encoding])
    assert offset(source, *position(source, 3, encoding), encoding) == 3
    assert offset(source, 9, 0, encoding) == size
    places = list(range(size + 1))
    assert [offset(source, *position(source, at, encoding), encoding) for at in places] == places
