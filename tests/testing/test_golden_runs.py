"""Golden files run: what passes, what fails and how it is said, what --update writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from rtfs.testing.command import run
from rtfs.values import HostError


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
    ("1 ;=> (", "which is not a value"),
    ("1 ;=> 1\n\n(/ 1 0)", "a.test.rtfs:3", "not expected", "arithmetic/div-by-zero"),
    ("1\n\n(/ 1 0) ;=> 1", "a.test.rtfs:3", "got an error", "arithmetic/div-by-zero", "a.test.rtfs:3:1"),
    ("1 ;! arity", "expected the error arity", "got       1"),
    ("(/ 1 0) ;! arity", "expected the error arity", "arithmetic/div-by-zero"),
    ('(/ 1 0) ;! arithmetic "no such words"', 'lacks "no such words"'),
    ('(println "a") ;prints b', "the output differs", "expected  b", "got       a"),
    ("1 ;prints b", "the output differs"),
    (';stub "a" => 1\n2 ;=> 2', "a.test.rtfs:1", "a was never called"),
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
    assert golden(tmp_path, "(/ 1 0) ;=> 1\n(nth [] 3)\n", "--update", "--accept-errors") == 0
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


def test_nothing_to_run_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for paths in ([str(tmp_path)], [str(tmp_path / "missing.test.rtfs")], []):
        with pytest.raises(HostError) as caught:
            run(paths)
        assert caught.value.code == "file/missing"


def test_a_file_that_is_no_utf8_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.test.rtfs").write_bytes(b"\xff\xfe")
    assert run([str(tmp_path)]) == 1
    assert "UTF-8" in capsys.readouterr().out


RECORDED = '(println "hi") [(call "time") (try (call "broken") (catch e (:code e))) @who]'


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """A chunk's head that names a recording of RECORDED, in a folder beside."""

    def broken() -> None:
        raise rtfs.HostError("it is")

    (tmp_path / "calls").mkdir()
    with rtfs.Runtime(context={"who": "Ann"}) as rt:
        rt.register("time", lambda: 7)
        rt.register("broken", broken)
        rt.run(RECORDED, record=tmp_path / "calls" / "r.jsonl")
    return ';recording "calls/r.jsonl"\n;context {:who "Bob"}\n'


def test_a_recording_answers_every_call(tmp_path: Path, recording: str):
    assert golden(tmp_path, f'{recording}{RECORDED}\n;=> [7 :capability/failed "Bob"]\n;prints hi') == 0
    assert golden(tmp_path, f"{recording}(defn f [] {RECORDED})\n(count (f)) ;=> 3") == 0


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (RECORDED + " ;=> [8 1 1]", "expected 8, got 7"),
        (f'{RECORDED} (call "time") ;=> 7', "recording/missing"),
        ('(println "hi") (call "time") ;=> 7', "does not make it"),
        ('(println "ho") ;=> nil', "with other arguments"),
        (f"{RECORDED} ;=> 1\n2 ;=> 2", "one expectation, at the end"),
        (';stub "time" => 7\n' + RECORDED + " ;=> 1", "not by both"),
    ],
)
def test_a_run_that_is_not_the_recorded_one_fails(
    tmp_path: Path, recording: str, program: str, says: str, capsys: pytest.CaptureFixture[str]
):
    assert golden(tmp_path, recording + program) == 1
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (';recording "none.jsonl"\n1 ;=> 1', "recording/invalid"),
        (";recording none\n1 ;=> 1", "a recording reads"),
        ('1 ;=> 1\n;recording "r"\n2 ;=> 2', "once, before the code"),
        (';recording "a"\n;recording "b"\n1 ;=> 1', "write ;recording once"),
        (';record "a"\n1 ;=> 1', "no marker"),
    ],
)
def test_what_is_no_recording_is_a_failure(tmp_path: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]):
    assert golden(tmp_path, text) == 1
    assert says in capsys.readouterr().out


def test_update_writes_what_a_recorded_run_gives(tmp_path: Path, recording: str):
    assert golden(tmp_path, f"{recording}{RECORDED} ;=> 1", "--update") == 0
    assert ';=> [7 :capability/failed "Bob"]' in (tmp_path / "a.test.rtfs").read_text()


def test_nothing_leaves_the_process_without_a_grant(tmp_path: Path):
    text = '(read-file "/etc/hostname") ;! policy/denied\n'
    assert golden(tmp_path, text) == 0
