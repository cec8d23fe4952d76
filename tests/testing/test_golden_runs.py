"""Golden files run: what passes, what fails and how it is said, what --update writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs.testing.command import run


def golden(tmp_path: Path, text: str, *options: str) -> int:
    (tmp_path / "a.test.rtfs").write_text(text, encoding="utf-8")
    return run([str(tmp_path), *options])


PASSING = [
    "(+ 1 2) ;=> 3",
    "(def x 1)\n(+ x 1) ;=> 2\n(+ x 2)\n;=> 3",
    "'(1 2) ;=> [1 2]",
    "{:a 1 :b 2} ;=> {:b 2 :a 1}",
    "##NaN ;=> ##NaN",
    "[##NaN] ;=> [##NaN]",
    "inc ;=> #<function inc>",
    "(f)\n;=> {:a 1\n;    :b 2}\n".replace("(f)", "{:a 1 :b 2}"),
    "(/ 1 0) ;! arithmetic",
    '(/ 1 0) ;! arithmetic/div-by-zero "zero"',
    '(println "a") (println "b")\n;prints a\n;prints b',
    '(do (print "a") 5) ;prints a\n;=> 5',
    '(do (println "a") (println "") 5)\n;prints a\n;prints\n;=> 5',
    "(+ 1 ;! reader",
    "(def x 1)\n---\nx ;! undefined\n(def x 2)".replace("(def x 1)", "(def x 1) x ;=> 1"),
    ';context {:who "me"}\n@who ;=> "me"',
    ';stub "a" {:k 1} => {:v 2}\n;stub "a" => 3\n(call "a" {:k 1}) ;=> {:v 2}\n(call "a") ;=> 3',
    ';stub "a" ! capability/failed "broken"\n(call "a" {}) ;! capability/failed "brok"',
    ';stub "a" 1 2 => 3\n(call "a" 1 2) ;=> 3',
    ';stub "a" {} => 3\n(call "a") ;=> 3',
]

FAILING = [
    ("(+ 1 2) ;=> 4", "a.test.rtfs:1", "expected  4", "got       3"),
    ("(+ 1 2) ;=> 3.0", "expected  3.0", "got       3"),
    ("{:a [1 {:b 2}]} ;=> {:a [1 {:b 3}]}", "at [:a 1 :b]: expected 3, got 2"),
    ("{:a 1} ;=> {:b 1}", "at [:b]: expected 1, got nothing", "at [:a]: expected nothing, got 1"),
    ("[1 2] ;=> [1]", "at [1]: expected nothing, got 2"),
    ("1 ;=> (", "which is no value"),
    ("1 ;=> 1\n\n(/ 1 0)", "a.test.rtfs:3", "not expected", "arithmetic/div-by-zero"),
    ("1\n\n(/ 1 0) ;=> 1", "a.test.rtfs:3", "got an error", "arithmetic/div-by-zero", "a.test.rtfs:3:1"),
    ("1 ;! arity", "expected the error arity", "got       1"),
    ("(/ 1 0) ;! arity", "expected the error arity", "arithmetic/div-by-zero"),
    ('(/ 1 0) ;! arithmetic "no such words"', 'lacks "no such words"'),
    ('(println "a") ;prints b', "the output differs", "expected  b", "got       a"),
    ("1 ;prints b", "the output differs"),
    (';stub "a" => 1\n2 ;=> 2', "a.test.rtfs:1", "nobody called a"),
    (';stub "a" => 1\n(call "a")\n(call "a") ;=> 1', "no stub answers", '(call "a"'),
    (';stub "a" => 1\n;stub "b" => 2\n(call "b") ;=> 2', "next stub (line 1) is for a"),
    (';stub "a" {:k 1} => 1\n(call "a" {:k 2}) ;=> 1', "other arguments", "at [0 :k]: expected 1, got 2"),
    (';stub "a" => 1\n(try (call "a") (call "a") (catch e 5)) ;=> 5', "no stub answers"),
    (';stub "a" => (\n(call "a") ;=> 1', "cannot be read"),
    ("", "nothing to run"),
    ("(def x 1)", "nothing is expected"),
    ("1 ;= 1", "no marker"),
]


@pytest.mark.parametrize("text", PASSING)
def test_it_passes(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert golden(tmp_path, text) == 0, capsys.readouterr().out
    assert "0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("case", FAILING, ids=lambda c: c[0])
def test_it_fails_and_says_why(case: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text, *parts = case
    assert golden(tmp_path, text) == 1
    out = capsys.readouterr().out
    for part in parts:
        assert part in out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(+ 1 2) ;=> 4\n; kept\n(inc 1)\n;=> 2\n", "(+ 1 2) ;=> 3\n; kept\n(inc 1)\n;=> 2\n"),
        ("(+ 1 2)\n", "(+ 1 2) ;=> 3\n"),
        ("(str 1) ; a remark\n", '(str 1) ;=> "1" ; a remark\n'),
        ('(println "b") ;prints a\n;prints z\n', '(println "b") ;prints b\n'),
        ("[1\n 2]\n;=> [1\n;    3]\n5 ;=> 6", "[1\n 2]\n;=> [1 2]\n5 ;=> 5"),
    ],
)
def test_update_writes_what_the_program_gave(before: str, after: str, tmp_path: Path):
    assert golden(tmp_path, before, "--update") == 0
    assert (tmp_path / "a.test.rtfs").read_text(encoding="utf-8") == after
    assert run([str(tmp_path)]) == 0


def test_update_writes_errors_too_and_what_it_wrote_passes(tmp_path: Path):
    assert golden(tmp_path, "(/ 1 0) ;=> 1\n(nth [] 3)\n", "--update") == 0
    text = (tmp_path / "a.test.rtfs").read_text(encoding="utf-8")
    assert ";! arithmetic/div-by-zero" in text
    assert ";! index/out-of-bounds" in text
    assert run([str(tmp_path)]) == 0


def test_update_leaves_stubs_alone_and_still_fails_on_them(tmp_path: Path):
    text = ';stub "a" {:k 1} => 1\n(call "a" {:k 2}) ;=> 1\n'
    assert golden(tmp_path, text, "--update") == 1
    assert (tmp_path / "a.test.rtfs").read_text(encoding="utf-8") == text


def test_chunks_share_nothing(tmp_path: Path):
    assert golden(tmp_path, "(def x 1)\nx ;=> 1\n---\nx ;! undefined\n---\n(def x 2)\nx ;=> 2") == 0


def test_nothing_to_run_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run([str(tmp_path)]) == 2
    assert run([str(tmp_path / "missing.test.rtfs")]) == 2
    assert run([]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_file_that_is_no_utf8_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.test.rtfs").write_bytes(b"\xff\xfe")
    assert run([str(tmp_path)]) == 1
    assert "UTF-8" in capsys.readouterr().out


def test_nothing_leaves_the_process_without_a_grant(tmp_path: Path):
    text = '(read-file "/etc/hostname") ;! policy/denied\n'
    assert golden(tmp_path, text) == 0
