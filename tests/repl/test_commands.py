"""Every command says what it promises, and none ends the session but `:quit`."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from rtfs.repl.commands import NAMES, PROGRAMS, commands
from rtfs.repl.session import Session

Captured = pytest.CaptureFixture[str]


def said(session: Session, capsys: Captured, *inputs: str) -> tuple[str, str]:
    """What the last of several inputs wrote to standard output and to standard error."""
    for text in inputs[:-1]:
        session.feed(text)
    capsys.readouterr()
    session.feed(inputs[-1])
    found = capsys.readouterr()
    return found.out, found.err


def test_every_command_is_declared_with_help_and_listed(session: Session, capsys: Captured) -> None:
    out = " ".join(said(session, capsys, ":help")[0].split())
    assert tuple(commands()) == NAMES
    for command in commands().values():
        assert f":{command.name} {command.usage}".rstrip() in out
        assert command.doc in out
        assert command.takes_program == (command.name in PROGRAMS)


@pytest.mark.parametrize("name", [name for name in NAMES if commands()[name].usage[:1].isalpha()])
def test_a_command_without_its_argument_says_how_it_is_used(session: Session, capsys: Captured, name: str) -> None:
    out, err = said(session, capsys, f":{name}")
    assert out == ""
    assert f":{name} takes {commands()[name].usage}" in err


def test_a_keyword_is_a_keyword_still(session: Session, capsys: Captured) -> None:
    assert said(session, capsys, ":owner") == (":owner\n", ":owner is a keyword; :help lists the commands\n")
    assert said(session, capsys, "(:type {:type 1})")[0] == "1\n"
    assert said(session, capsys, "(do :type)")[0] == ":type\n"
    assert said(session, capsys, ":sourec") == (":sourec\n", ":sourec is a keyword; the command is :source\n")
    assert "did you mean :load?" in said(session, capsys, ":laod x.rtfs")[1]
    assert said(session, capsys, ":owner 1") == ("1\n", "")
    assert said(session, capsys, ":owner true") == ("true\n", "")
    out, err = said(session, capsys, ":owner of it")
    assert (out, err) == ("", "error usage: there is no command :owner\n  hint: :help lists the commands\n")


@pytest.mark.parametrize(
    ("text", "command"), [("exit", "quit"), ("(exit)", "quit"), ("quit", "quit"), (":q", "quit"), ("help", "help")]
)
def test_the_words_of_other_prompts_lead_to_commands(
    session: Session, capsys: Captured, text: str, command: str
) -> None:
    assert f"the command is :{command}\n" in said(session, capsys, text)[1]


def test_a_name_of_the_program_is_no_word_of_another_prompt(session: Session, capsys: Captured) -> None:
    assert said(session, capsys, '(defn help [] "me") (help)') == ('"me"\n', "")


def test_a_run_out_of_time_names_the_setting(session: Session, capsys: Captured) -> None:
    said(session, capsys, ":set timeout 0.01")
    assert "the limit is that of :set timeout" in said(session, capsys, "(loop [] (recur))")[1]


def test_what_a_name_is_for_is_broken_at_words(session: Session, capsys: Captured) -> None:
    said(session, capsys, ":set width 40")
    assert "with several collections it takes one\n  of each," in said(session, capsys, ":doc map")[0]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("map", ["(map f coll? & colls)", "(map inc [1 2])  ;=> [2 3]", "function"]),
        ("string-upper", ["also", "upper"]),
        ("let", ["special form"]),
        ("when", ["(when test & body)", "macro", "(when true 1 2)  ;=> 2"]),
        ("read-file", ["Needs the grant fs:read:PATH"]),
        ("tool/read-file", ["(read-file path)"]),
        ("issues.list", ["List the issues", "capability", ":owner"]),
        ('"issues.list"', ["List the issues"]),
        (":load", [":load FILE"]),
        ("*e", ["The last error."]),
        ("half", ["(half x)", "(half x to)", "Halves.", "defined at <repl 1>:1:1"]),
    ],
)
def test_doc(session: Session, capsys: Captured, name: str, parts: list[str]) -> None:
    out, err = said(session, capsys, '(defn half "Halves." ([x] (/ x 2)) ([x to] (/ x 2)))', f":doc {name}")
    assert err == ""
    for part in parts:
        assert part in out


def test_doc_and_source_of_an_unknown_name_suggest_a_near_one(session: Session, capsys: Captured) -> None:
    for command in ("doc", "source"):
        out, err = said(session, capsys, f":{command} redcue")
        assert (out, "did you mean `reduce`?" in err) == ("", True)


def test_source(session: Session, capsys: Captured) -> None:
    text = "(defn f [x]\n  (* x 2)) ; two"
    assert said(session, capsys, text, ":source f")[0] == "; <repl 1>:1:1\n(defn f [x]\n  (* x 2))\n"
    assert said(session, capsys, "(defn f [x] x)", ":source f")[0] == "; <repl 3>:1:1\n(defn f [x] x)\n"
    assert "(defmacro when\n" in said(session, capsys, ":source when")[0]
    assert '(capability "issues.close"' in said(session, capsys, ":source issues.close")[0]
    assert "not written in RTFS" in said(session, capsys, ":source map")[0]


def test_source_finds_what_a_module_defines(session: Session, capsys: Captured) -> None:
    session.feed('(module my.m (defn g "Gees." [x] x) (defmacro m [x] x)) (import my.m :as m :only [g])')
    for name in ("m/g", "g"):
        assert said(session, capsys, f":source {name}")[0].endswith('(defn g "Gees." [x] x)\n')
    assert "Gees." in said(session, capsys, ":doc m/g")[0]


def test_apropos(session: Session, capsys: Captured) -> None:
    out, _ = said(session, capsys, ":apropos upper")
    assert "string-upper" in out
    assert "issues.close" in said(session, capsys, ":apropos issues")[0]
    assert "nothing is called" in said(session, capsys, ":apropos xyzzy")[0]


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("1", ":int"),
        ('[1 2.0 "a"]', "[:vector [:union :int :float :string]]"),
        ("{:a {:b nil}}", "[:map [:a [:map [:b :nil]]]]"),
        ('{"a" 1}', "[:map-of :string :int]"),
        ("'(a :b)", "[:list [:union :symbol :keyword]]"),
        ("[]", "[:vector :any]"),
        ("(range 1000)", "[:vector :int]"),
        ("half", ":fn (half x :int)"),
        ("map", ":fn (map f coll? & colls)"),
    ],
)
def test_type(session: Session, capsys: Captured, text: str, type: str) -> None:
    assert said(session, capsys, "(defn half [x :int] (/ x 2))", f":type {text}")[0] == type + "\n"


def test_ast_and_expand_run_nothing_and_define_nothing(session: Session, capsys: Captured) -> None:
    out, _ = said(session, capsys, ':ast (defn shout [x] (println x)) (shout "a")')
    assert "Def name=" in out
    assert "Invoke" in out
    assert "undefined" in said(session, capsys, "shout")[1]
    assert said(session, capsys, ":expand (when a b)")[0] == "(if a (do b) nil)\n"
    assert said(session, capsys, ":expand (foo)")[0] == "(foo)\n"
    assert "reader/extra-form" in said(session, capsys, ":expand 1 2")[1]


def test_caps_list_and_detail(session: Session, capsys: Captured) -> None:
    out, _ = said(session, capsys, ":caps")
    assert "issues.list" in out
    assert "ccos.io.println" in out
    assert said(session, capsys, ":caps close")[0] == "issues.close\n"
    out, _ = said(session, capsys, ":caps issues.list")
    assert "List the issues" in out
    assert "policy" in out
    assert "from" in out
    assert "capability/unknown" in said(session, capsys, ":caps nothing.like.it")[1]


def test_policy_shows_and_changes_grants(session: Session, capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    read = f'(read-file "{file}")'
    assert "grants     none" in said(session, capsys, ":policy")[0]
    assert f":policy allow fs:read:{file}" in said(session, capsys, read)[1]
    assert f"fs:read:{tmp_path}" in said(session, capsys, f":policy allow fs:read:{tmp_path}")[0]
    assert said(session, capsys, read)[0] == '"hello"\n'
    said(session, capsys, f":policy revoke fs:read:{tmp_path}")
    assert "policy/denied" in said(session, capsys, read)[1]
    assert "config/grant" in said(session, capsys, ":policy allow net:")[1]
    assert "allow" in said(session, capsys, ":policy issues.list")[0]


def test_grants_are_not_changed_out_of_a_pipe(capsys: Captured) -> None:
    with rtfs.Runtime() as runtime:
        session = Session(runtime)
        assert "person at the terminal" in said(session, capsys, ":policy allow env:HOME")[1]
        assert "none" in said(session, capsys, ":policy")[0]


def test_ledger_shows_the_last_records_and_that_the_chain_holds(session: Session, capsys: Captured) -> None:
    out, _ = said(session, capsys, '(call "issues.close" {:number 7})', ":ledger 3")
    assert "outcome" in out
    assert "issues.close ok" in out
    assert "the chain holds" in out
    assert len(out.splitlines()) == 4


def test_sessions_before_there_are_any(session: Session, capsys: Captured) -> None:
    assert "no session is open" in said(session, capsys, ":sessions")[0]


def test_time_says_how_many_calls_were_made(session: Session, capsys: Captured) -> None:
    out, err = said(session, capsys, ':time (do (call "issues.close" {:number 1}) (call "issues.close" {:number 2}) 5)')
    assert out == "5\n"
    assert err.endswith("s, 2 calls\n")
    assert said(session, capsys, "*1")[0] == "5\n"


def test_settings(session: Session, capsys: Captured) -> None:
    assert "items   100   elements shown" in said(session, capsys, ":set")[0]
    assert said(session, capsys, ":set items 2", "[1 2 3]")[0] == "[1 2 … 1 more]\n"
    assert said(session, capsys, ":set width 20", ":set items 0", "(range 12)")[0].count("\n") > 1
    assert "limit/time" in said(session, capsys, ":set timeout 0.05", "(loop [] (recur))")[1]
    assert "items is a number, not x" in said(session, capsys, ":set items x")[1]
    assert "did you mean timeout?" in said(session, capsys, ":set timeuot 3")[1]
    assert said(session, capsys, ":set time on", "1")[1].endswith("s\n")


def test_load_and_reload(session: Session, capsys: Captured, tmp_path: Path) -> None:
    plan = tmp_path / "caps.rtfs"
    declared = '(capability "my.answer" :description "%s" :implementation (fn [_] %d)) (def v %d)'
    plan.write_text(declared % ("old", 1, 1))
    assert said(session, capsys, f":load {plan}")[1] == f"loaded {plan}\n"
    assert said(session, capsys, '[(call "my.answer") v]')[0] == "[1 1]\n"
    plan.write_text(declared % ("new", 2, 2))
    said(session, capsys, ":reload")
    assert said(session, capsys, '[(call "my.answer") v]')[0] == "[2 2]\n"
    plan.write_text("(broken")
    assert "reader/unclosed" in said(session, capsys, ":reload")[1]
    assert said(session, capsys, '[(call "my.answer") v]')[0] == "[2 2]\n"
    assert "file/missing" in said(session, capsys, ":load none.rtfs")[1]


def test_a_folder_is_loaded_and_loaded_again(session: Session, capsys: Captured, tmp_path: Path) -> None:
    for name, number in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.rtfs").write_text(f'(capability "my.{name}" :implementation (fn [_] {number}))')
    both = '[(call "my.a") (call "my.b")]'
    assert said(session, capsys, f":load {tmp_path}", both)[0] == "[1 2]\n"
    (tmp_path / "b.rtfs").write_text('(capability "my.b" :implementation (fn [_] 3))')
    assert said(session, capsys, ":reload", both)[0] == "[1 3]\n"


def test_a_changed_module_is_imported_again(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lib" / "m.rtfs"
    file.parent.mkdir()
    file.write_text("(module lib.m (defn f [] 1) (defn g [] (f)))")
    with rtfs.Runtime(module_path=[tmp_path]) as runtime:
        session = Session(runtime, interactive=True)
        session.feed("(import lib.m :as m :only [g])")
        assert said(session, capsys, "[(m/f) (g)]")[0] == "[1 1]\n"
        assert "nothing to load again" in said(session, capsys, ":reload")[1]
        file.write_text("(module lib.m (defn f [] 22) (defn g [] (f)))")
        assert "imported again: lib.m" in said(session, capsys, ":reload")[1]
        assert said(session, capsys, "[(m/f) (g)]")[0] == "[22 22]\n"
        file.write_text("(module lib.m (defn f [")
        assert "reader/unclosed" in said(session, capsys, ":reload")[1]
        assert said(session, capsys, "[(m/f) (g)]")[0] == "[22 22]\n"


def test_quit(session: Session) -> None:
    session.feed(":quit")
    assert session.ended


def test_what_worked_is_saved_as_a_file_or_as_golden_tests(session: Session, capsys: Captured, tmp_path: Path) -> None:
    plain, golden = tmp_path / "plan.rtfs", tmp_path / "plan.test.rtfs"
    assert "nothing has worked" in said(session, capsys, "(oops", f":save {plain}")[1]
    said(session, capsys, "(defn twice [x] (* 2 x))", "(twice 21)", "(twice :a)", ":doc map", f":save {plain}")
    assert plain.read_text().split("\n", 2)[2] == "(defn twice [x] (* 2 x))\n\n(twice 21)\n"
    assert said(session, capsys, f":save {golden}")[1] == f"{golden}: 2 inputs\n"
    assert "(twice 21)\n;=> 42\n" in golden.read_text()
    assert said(session, capsys, f":save {golden}")[1] == f"{golden}: 2 inputs\n"
    (tmp_path / "mine.rtfs").write_text("mine")
    assert "there already" in said(session, capsys, f":save {tmp_path}/mine.rtfs")[1]
    assert (tmp_path / "mine.rtfs").read_text() == "mine"


def test_the_history_of_this_session_and_of_earlier_ones(
    session: Session, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "history"
    kept.write_text("\n# 2026-01-01\n+(old 1\n+  2)\n\n# 2026-01-02\n+(older)\n")
    monkeypatch.setenv("RTFS_HISTORY", str(kept))
    assert said(session, capsys, "(+ 1 2)", ":doc map", ":history")[0] == "(+ 1 2)\n:doc map\n"
    assert said(session, capsys, ":history old")[0].startswith("(old 1\n  2)\n(older)\n")


def test_a_long_text_does_not_flood_the_screen(session: Session, capsys: Captured) -> None:
    text = '(let [base (reduce (fn [s _] (str s s)) "abcdefgh" (range 14))] {:data base :more base})'
    out, _ = said(session, capsys, text)
    assert len(out) < 5_000
    assert "more characters" in out
    out, _ = said(session, capsys, ":set text 0", text)
    assert len(out) > 200_000


def test_check_says_what_is_wrong_and_what_would_be_called_and_runs_nothing(
    session: Session, capsys: Captured, tmp_path: Path
) -> None:
    out = said(session, capsys, "(def n 1)", ':check (do (println n) (+ n "a"))')[0]
    assert 'error type/mismatch: (+ …) needs a number, but got the string "a"' in out
    assert "allow    ccos.io.println" in out
    assert said(session, capsys, ':check (call "issues.close" {:numbr 1})')[0].startswith("error ")
    assert said(session, capsys, ":check (+ n 1)")[0] == "nothing is wrong\n"
    file = tmp_path / "plan.rtfs"
    file.write_text("(prinln 1)\n", "utf-8")
    assert f"{file}:1:2" in said(session, capsys, f":check {file}")[0]


def test_a_recorded_run_can_be_replayed_and_tested(
    session: Session, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session.runtime.register("clock.now", lambda: 7)
    out = said(session, capsys, ':record calls.jsonl (+ 1\n (call "clock.now"))')[0]
    assert out == "8\n"
    (tmp_path / "a.test.rtfs").write_text(';recording "calls.jsonl"\n(+ 1 (call "clock.now")) ;=> 8\n', "utf-8")
    assert said(session, capsys, ":test")[0] == "1 passed, 0 failed\n"
    (tmp_path / "a.test.rtfs").write_text(';recording "calls.jsonl"\n(+ 1 (call "clock.now")) ;=> 9\n', "utf-8")
    assert "got       8" in said(session, capsys, ":test a.test.rtfs")[0]
    assert "there is no file" in said(session, capsys, ":test none.test.rtfs")[1]


def test_golden_files_see_what_the_session_has_loaded(
    session: Session, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib.rtfs").write_text("(defn twice [x] (* 2 x))\n", "utf-8")
    (tmp_path / "a.test.rtfs").write_text("(twice 4) ;=> 8\n", "utf-8")
    assert "0 passed, 1 failed" in said(session, capsys, ":test")[0]
    assert "1 passed, 0 failed" in said(session, capsys, ":load lib.rtfs", ":test")[0]


def test_a_server_is_named_asked_and_used(session: Session, capsys: Captured) -> None:
    from tests.servers.running import serve

    assert "no server is configured" in said(session, capsys, ":connect")[0]
    assert "there is no server shop" in said(session, capsys, ":connect shop")[1]
    server_file = Path(__file__).parent.parent / "servers" / "sdk_server.py"
    with serve(server_file) as server:
        out, err = said(session, capsys, f":connect shop {server.url}")
        assert "mcp.shop.steps" in out
        assert err == "allow calls with :policy allow mcp.shop.*\n"
        assert server.url in said(session, capsys, ":connect")[0]
        call = '(:steps (call "mcp.shop.steps" {:count 1 :pause 0}))'
        assert said(session, capsys, ":policy allow mcp.shop.*", ":policy allow net:127.0.0.1", call)[0] == "1\n"
        assert "is a server" in said(session, capsys, f":connect shop {server.url}")[1]


def test_servers_are_named_by_a_person_only(session: Session, capsys: Captured) -> None:
    session.interactive = False
    assert "by a person at the terminal only" in said(session, capsys, ":connect shop http://127.0.0.1:9/mcp")[1]
    assert "no server is configured" in said(session, capsys, ":connect")[0]


def test_what_is_longer_than_the_screen_is_paged(
    session: Session, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.editing = True
    monkeypatch.setenv("PAGER", "sed s/^/paged:/")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("COLUMNS", "80")
    session.feed("(range 3)")
    assert capfd.readouterr().out == "[0 1 2]\n"
    session.feed(":help")
    assert capfd.readouterr().out.startswith("paged::doc NAME")
    session.feed(":set pager off")
    session.feed(":help")
    assert capfd.readouterr().out.startswith(":doc NAME")
    session.feed(":set pager on")
    monkeypatch.setenv("PAGER", "no-such-pager")
    session.feed(":help")
    assert capfd.readouterr().out.startswith(":doc NAME")
