"""The reader against a second, independent one, and against random text: forms or a ReaderError, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtfs.source import Source
from rtfs.syntax import parser
from rtfs.syntax.diagnostics import render
from rtfs.syntax.printer import to_text
from rtfs.syntax.reader import incomplete, read_forms
from rtfs.syntax.tokens import Reading
from rtfs.values import List, Map, ReaderError, Set, Symbol, Vector
from tests.syntax import oracle

ROOT = Path(__file__).parents[2]
PIECES = st.sampled_from(
    ["(", ")", "[", "]", "{", "}", "#(", "'", "`", "~", "~@", "@", "^", "#_", "#{", "#|", "|#", "#", '"', "\\", ";"]
    + ["\n"]
    + ["a", "foo", ":k", ":", "::", "x:int", "x:", "%", "%1", "%2", "%&", "1", "-1", "0x1f", "1.5", "1e3", "1.", ".5"]
    + ["1/2", "12abc", "nil", "true", "truefoo", "##Inf", "##NaN", "##-Inf", '"s"', '"a\\nb"', '"\\q"', '"\\ud83d"']
    + ['"\\ud83d\\ude00"', "resource://a", "2023-12-25T10:30:45Z", "^:k", "^{:a 1}", "{:a 1}", "\0", "\ufeff", "\ud800"]
    + [
        "#!",
        '#"',
        '#"a\\d"',
        "#:n{",
        "\\a",
        "\\newline",
        "16rFF",
        "36rzz",
        "9r9",
        "5N",
        "0x1f5N",
        "1.5M",
        "\u00a0",
        "é",
        "😀",
        "x'",
        "x#",
        "|",
        ",",
        "\t",
        "12345678-1234-5678-9abc-123456789def",
        "& r",
    ]
)
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(["", " "])), max_size=25).map(
    lambda parts: "".join(map("".join, parts))
)


def real(text: str) -> list[Any] | None:
    try:
        return [oracle.show(form) for form in read_forms(Source(text))]
    except ReaderError:
        return None


def other(text: str) -> list[Any] | None:
    try:
        return oracle.read(text)
    except oracle.Unreadable:
        return None


@settings(max_examples=600, deadline=None)
@given(TEXTS)
@example("x::int")
@example("a:'b")
@example("x#|c|#")
@example("#_#_a b")
@example("^#_a :k x")
@example("{a 1 #_b}")
@example("#(#_% a)")
def test_two_readers_agree_on_pieces_of_the_language(text):
    assert real(text) == other(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_two_readers_agree_on_any_text(text):
    assert real(text) == other(text)


@settings(max_examples=200, deadline=None)
@given(st.one_of(TEXTS, st.text(max_size=60), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))))
def test_any_text_gives_forms_or_an_error_that_can_be_shown(text):
    try:
        read_forms(Source(text))
    except ReaderError as error:
        for each in (error, *error.others):
            assert each.code.startswith("reader/")
            assert each.span is not None
            assert 0 <= each.span.start <= each.span.end <= len(text)
        starts = [each.span.start for each in (error, *error.others) if each.span is not None]
        assert starts == sorted(starts)
        shown = render(error)
        assert "\n".join(shown.split("\n")).replace("\n", "").isprintable() or not text.isprintable()
        assert "\x1b" not in shown
        assert "\0" not in shown
    assert incomplete(text) in (True, False)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_offsets_of_forms_and_children_enclose_each_other_and_read_back(text):
    try:
        read = read_forms(Source(text))
    except ReaderError:
        return
    last = 0
    for form, span in zip(read, read.spans, strict=True):
        assert last <= span.start < span.end <= len(text)
        last = span.end
        if not isinstance(form, (List, Vector, Map, Symbol)) or "%" in text:
            continue
        assert real(span.text) == [oracle.show(form)]
        pending = [form]
        while pending:
            parent = pending.pop()
            info = parent.info
            if isinstance(parent, Symbol):
                continue
            children = [part for pair in parent.items() for part in pair] if isinstance(parent, Map) else list(parent)
            assert len(info.kids) == 2 * len(children)
            for number, child in enumerate(children):
                start, end = info.kids[2 * number], info.kids[2 * number + 1]
                assert info.start <= start < end <= info.end
                if isinstance(child, (List, Vector, Map, Symbol)):
                    assert (child.info.start, child.info.end) == (start, end)
                    pending.append(child)
                else:
                    assert real(text[start:end]) == [oracle.show(child)]


def _seen(value: Any) -> Any:
    """A form with everything that the reader knows of it."""
    info = getattr(value, "info", None)
    note = None if info is None else (info.start, info.end, info.kids, None if info.meta is None else _seen(info.meta))
    if isinstance(value, Map):
        return note, [(_seen(key), _seen(item)) for key, item in value.items()]
    if isinstance(value, (List, Vector, Set)):
        return note, type(value).__name__, [_seen(part) for part in value]
    return note, oracle.show(value)


def _agrees(text: str) -> bool:
    """Whether the plain reader reads a text; the parser then reads the same."""
    grammar = parser._the_grammar()
    plain, whole = Reading(Source(text)), Reading(Source(text))
    items = grammar.plain.read(plain)
    assert plain.errors == []
    if items is None:
        return False
    other = parser._reduce(grammar, whole)
    assert other is not None
    assert whole.errors == []
    assert items[1::3] == other[1::3]
    assert items[2::3] == other[2::3]
    assert [_seen(one) for one in items[::3]] == [_seen(one) for one in other[::3]]
    assert [(one.start, one.end) for one in plain.duplicates] == [(one.start, one.end) for one in whole.duplicates]
    return True


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
@example("#_ #_ a b ^:k ^{:a 1} c '#_a b `(~@x ~y @z) #(+ % %2 %&) #{1 2} ; end")
@example("'^:a #_x y {:a 1 :a 2} (a #_b)")
def test_the_loop_for_plain_texts_reads_what_the_parser_reads(text):
    _agrees(text)


def test_programs_are_plain_texts():
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("stdlib/**/*.rtfs"))]
    assert len(texts) > 3
    assert all(_agrees(text) for text in texts)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_what_is_read_prints_to_text_that_reads_the_same(text):
    forms = real(text)
    if forms is not None:
        printed = " ".join(to_text(form) for form in read_forms(Source(text)))
        assert real(printed) == forms
        assert " ".join(to_text(form) for form in read_forms(Source(printed))) == printed


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_text_is_incomplete_exactly_when_closing_it_could_help(text):
    if incomplete(text):
        assert real(text) is None
    elif real(text) is None:
        for ending in (")", "]", "}", '"', "|#", " x", " x)"):
            assert real(text + ending) is None or ending in ('"', "|#", " x") or text.endswith(("\\", "#", ":", "|"))
