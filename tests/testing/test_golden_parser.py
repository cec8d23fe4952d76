"""The text of golden files: what belongs to what, and what is refused."""

from __future__ import annotations

import pytest

from rtfs.testing.golden import parse, parse_error


def one(text: str):
    file = parse(text, "f.test.rtfs")
    assert not file.problems
    assert len(file.chunks) == 1
    return file.chunks[0]


def problems(text: str) -> list[tuple[int, str]]:
    file = parse(text, "f.test.rtfs")
    return [(p.line, p.text) for p in [*file.problems, *(p for c in file.chunks for p in c.problems)]]


def source(text: str, step) -> str:
    return text[step.start : step.end].strip()


def test_an_expectation_belongs_to_the_text_since_the_previous_one():
    text = "(def x 1)\n(+ x 1) ;=> 2\n\n(* x\n   5)\n;=> 5\n"
    chunk = one(text)
    assert [source(text, s) for s in chunk.steps] == ["(def x 1)\n(+ x 1)", "(* x\n   5)"]
    assert [[(e.kind, e.text, e.line) for e in s.expectations] for s in chunk.steps] == [
        [("value", "2", 2)],
        [("value", "5", 6)],
    ]
    assert [s.line for s in chunk.steps] == [1, 4]


def test_code_after_the_last_expectation_is_a_step_with_none():
    chunk = one("1 ;=> 1\n(def y 2)\n")
    assert [len(s.expectations) for s in chunk.steps] == [1, 0]


def test_lines_of_dashes_separate_chunks_which_take_their_first_comment_as_name():
    file = parse("; adding\n1 ;=> 1\n---\n;; adding\n2 ;=> 2\n---  \n3 ;=> 3\n", "f")
    assert [(c.name, c.line) for c in file.chunks] == [("adding", 2), ("adding #2", 5), ("line 7", 7)]


def test_a_chunk_of_comments_only_is_none():
    assert [c.name for c in parse("; about this file\n---\n; one\n1 ;=> 1", "f").chunks] == ["one"]


def test_output_and_value_may_both_be_expected():
    chunk = one('(do (println "a\nb") 5)\n;prints a\n;prints b\n;prints\n;=> 5')
    assert [(e.kind, e.text) for e in chunk.steps[0].expectations] == [
        ("prints", "a"),
        ("prints", "b"),
        ("prints", ""),
        ("value", "5"),
    ]


def test_a_value_goes_on_in_indented_comment_lines():
    chunk = one("(f)\n;=> {:a 1\n;    :b 2}\n; a remark\n")
    assert chunk.steps[0].expectations[0].text == "{:a 1\n:b 2}"


def test_markers_inside_strings_and_block_comments_are_text():
    chunk = one('(str ";=> 1\n;! x" "\\";=> 2") #| ;=> 3 #| ;! y |# |# ;=> "z"')
    assert [e.text for e in chunk.steps[0].expectations] == ['"z"']


def test_an_unreadable_form_can_be_expected_to_be_unreadable():
    text = "(+ 1 ;! reader/unclosed\n2 ;=> 2"
    chunk = one(text)
    assert [source(text, s) for s in chunk.steps] == ["(+ 1", "2"]


def test_stubs_are_taken_apart():
    chunk = one(
        ';stub "a.b" {:x "=> !"} => [1 2]\n;stub "c" => nil\n;stub "d" 1 "two" ! capability/failed "no \\"way\\""\n'
        ';stub "e" {:k\n;         1} =>\n;   {:v 2}\n(f) ;=> 1'
    )
    assert [(s.line, s.id, s.arguments, s.value, s.code, s.message) for s in chunk.stubs] == [
        (1, "a.b", '{:x "=> !"}', "[1 2]", "", ""),
        (2, "c", None, "nil", "", ""),
        (3, "d", '1 "two"', None, "capability/failed", 'no "way"'),
        (4, "e", "{:k\n1}", "{:v 2}", "", ""),
    ]


def test_the_context_of_a_chunk_is_kept_as_text():
    assert one(';context {:plan-id "p"}\n@plan-id ;=> "p"').context == '{:plan-id "p"}'


def test_a_first_line_for_the_shell_is_no_comment_and_no_code():
    assert [s.line for s in one("#!/usr/bin/env rtfs\n1 ;=> 1").steps] == [2]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 1, "nothing to run"),
        ("; only words\n---\n", 1, "nothing to run"),
        ("(def x 1)", 1, "nothing is expected"),
        (";=> 1\n", 1, "without an expression"),
        ("1 ;=> 1\n;=> 2", 2, "second expectation"),
        ("1 ;=> 1\n;! arity", 2, "second expectation"),
        ("1 ;=>", 1, "needs a value"),
        ("(f ;=> 1\n)", 1, "inside a form"),
        ("(f ;! arity\n)", 1, "inside a form"),
        ('1 ;! "message"', 1, "needs a code"),
        ('1 ;! arity "open', 1, "needs a code"),
        ("1 ;; => 1", 1, "no marker"),
        ("1 ; => 1", 1, "no marker"),
        ("1 ;= 1", 1, "no marker"),
        ('1 ;;! type/mismatch "x"', 1, "no marker"),
        ("1 ;print x", 1, "no marker"),
        (';stubs "a" => 1\n1 ;=> 1', 1, "no marker"),
        (';stub "a" 1\n1 ;=> 1', 1, "a stub reads"),
        (";stub a => 1\n1 ;=> 1", 1, "a stub reads"),
        (';stub "a" =>\n1 ;=> 1', 1, "a stub reads"),
        ('1 ;=> 1\n;stub "a" => 1\n2 ;=> 2', 2, "before the code"),
        (';stub "a" => 1\n', 1, "nothing that could call"),
        ("1 ;=> 1\n;context {}\n", 2, "before the code"),
        ("1 ;prints a\n;=> 1\n;prints b", 3, "must be together"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(text: str, line: int, part: str):
    found = problems(text)
    assert [at for at, _ in found][:1] == [line]
    assert part in found[0][1]


def test_an_error_expectation_is_a_code_and_parts_of_the_message():
    assert parse_error(' type/mismatch "a" "b\\n" ') == ("type/mismatch", ["a", "b\n"])
    assert parse_error("arity") == ("arity", [])
    assert parse_error("arity rest") is None
