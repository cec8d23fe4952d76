"""What one input leaves for the next: definitions, results, errors, and the session itself."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.repl.session import Session

Captured = pytest.CaptureFixture[str]


def shown(session: Session, capsys: Captured, text: str) -> str:
    capsys.readouterr()
    session.feed(text)
    return capsys.readouterr().out


def test_results_are_at_hand(session: Session, capsys: Captured) -> None:
    for text in ("1", "2", "3"):
        session.feed(text)
    assert shown(session, capsys, "[*1 *2 *3]") == "[3 2 1]\n"
    assert shown(session, capsys, "(count *1)") == "3\n"
    session.feed("(/ 1 0)")
    assert shown(session, capsys, "*1") == "3\n"
    assert shown(session, capsys, "(:code *e)") == ":arithmetic/div-by-zero\n"


def test_results_are_nil_before_the_first_one(session: Session, capsys: Captured) -> None:
    assert shown(session, capsys, "[*1 *e]") == "[nil nil]\n"


def test_definitions_stay_also_those_before_an_error(session: Session, capsys: Captured) -> None:
    session.feed("(def a 1) (defn f [x] (+ x a)) (f nil) (def b 2)")
    assert shown(session, capsys, "(f 2)") == "3\n"
    assert shown(session, capsys, "b") == ""


def test_an_input_is_whole_when_its_brackets_are_closed(session: Session) -> None:
    for text in ("(f", '"a', "[1 #| x", "'", "(f ; )", ":time (f"):
        assert not session.is_complete(text), text
    for text in ("(f)", "1 2", "(f ]", ":doc (", ":load x(y", "", ")"):
        assert session.is_complete(text), text


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("(+ 1\n  nope)", "undefined", "<repl 1>:2:3"),
        ("(map (fn [x] (/ 1 x)) [1 0])", "arithmetic/div-by-zero", "<repl 1>:1:14"),
        ('(call "issues.close" {:number "x"})', "type/mismatch", "<repl 1>:1:31"),
        ('(step-parallel 1 (throw "no"))', "user/error", "<repl 1>:1:18"),
        ("(when", "reader/unclosed", "<repl 1>:1:1"),
        ("(when-let x 1)", "form/shape", "<repl 1>:1:1"),
    ],
)
def test_errors_show_the_persons_own_line(session: Session, capsys: Captured, text: str, code: str, place: str) -> None:
    session.feed(text)
    err = capsys.readouterr().err
    assert err.startswith(f"error {code}: ")
    assert f"--> {place}\n" in err
    assert "^" in err
    assert "Traceback" not in err


def test_control_characters_are_shown_and_not_obeyed(session: Session, capsys: Captured) -> None:
    for text in ('"\\u001b[31m"', '(throw "\\u001b[31m")', '{"\\u0007" 1}', "*e", '(keyword "a\\u001bb")'):
        session.feed(text)
    found = capsys.readouterr()
    assert "\x1b" not in found.out + found.err
    assert "\x07" not in found.out
    assert "\\u001b[31m" in found.out


def test_a_bug_does_not_end_the_session(capsys: Captured) -> None:
    class Broken(Exception):
        pass

    with rtfs.Runtime() as runtime:
        session = Session(runtime, interactive=True)

        def crash(text: str) -> object:
            raise Broken(text)

        session.evaluate = crash  # type: ignore[method-assign]
        session.feed("1")
    err = capsys.readouterr().err
    assert "internal error: Broken: 1" in err
    assert "this is a bug of rtfs" in err


def test_ctrl_c_cancels_for_a_person_and_ends_a_pipe(capsys: Captured) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for interactive in (True, False):
        with rtfs.Runtime() as runtime:
            runtime.register("press", interrupt)
            session = Session(runtime, interactive=interactive)
            if interactive:
                session.feed('(def a 7) (call "press")')
                assert capsys.readouterr().err == "cancelled\n"
                assert shown(session, capsys, "a") == "7\n"
            else:
                with pytest.raises(KeyboardInterrupt):
                    session.feed('(call "press")')


def test_nil_and_what_was_printed_are_shown(session: Session, capsys: Captured) -> None:
    assert shown(session, capsys, '(println "hi")') == "hi\nnil\n"
    assert shown(session, capsys, "  ") == ""
