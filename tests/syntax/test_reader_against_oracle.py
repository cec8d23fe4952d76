"""The reader against a second, independent one, and against random text: forms or a ReaderError, nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtfs.source import Source
from rtfs.syntax.diagnostics import render
from rtfs.syntax.printer import to_text
from rtfs.syntax.reader import incomplete, read_forms
from rtfs.values import List, Map, ReaderError, Symbol, Vector
from tests.syntax import oracle

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
