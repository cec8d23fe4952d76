"""Modules: within a text, from files beside it or on the path, in circles, from the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfs.machine import new_environment
from tests.compiler.support import failure, printed


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(folder: Path, main: str = "main.rtfs", *path: Path) -> str:
    """The value of a file, in an environment of its own."""
    file = folder / main
    environment = new_environment(tuple(str(one) for one in path))
    return printed(file.read_text(encoding="utf-8"), environment, str(file))


def run_to_error(folder: Path, main: str = "main.rtfs", *path: Path):
    file = folder / main
    environment = new_environment(tuple(str(one) for one in path))
    return failure(file.read_text(encoding="utf-8"), environment, str(file))


WITHIN = [
    ("(module m (def x 1)) (import m) m/x", "1"),
    ("(module m (def x 1)) (import m :as n) n/x", "1"),
    ("(module m (def x 1) (def y 2)) (import m :only [x]) x", "1"),
    ("(module m (def x 1) (def y 2)) (import m :refer [x y]) [x y]", "[1 2]"),
    ("(module m (:exports [f]) (defn- g [] 5) (defn f [] (g))) (import m) (m/f)", "5"),
    ("(module m (def x 1)) (def x 2) (import m) [x m/x]", "[2 1]"),
    ("(module m)", "nil"),
    ("(module a (def x 1)) (module b (import a) (def y (+ a/x 1))) (import b) b/y", "2"),
    ("(module m (defstruct P :x int)) (import m) ((fn [p : m/P] (:x p)) {:x 1})", "1"),
    ("(module m (deftype T int)) (import m :only [T]) ((fn [p : T] p) 4)", "4"),
    ("(module m (defn f [] (g)) (defn g [] 1)) (import m) (m/f)", "1"),
    ("(module m (def + 5)) (+ 1 2)", "3"),
    ("(module my.deep.name (def x 1)) (import my.deep.name :as d) d/x", "1"),
    ("(module m (def x 1)) (module m (def y 2)) (import m) [m/x m/y]", "[1 2]"),
]


@pytest.mark.parametrize(("text", "value"), WITHIN, ids=[text for text, _ in WITHIN])
def test_modules_of_one_text(text: str, value: str):
    assert printed(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(import nowhere)", "module/not-found"),
        ("(module m (:exports [x])) (import m)", "module/export"),
        ("(module m (:exports [f]) (defn f [] 1) (defn g [] 2)) (import m) (m/g)", "undefined"),
        ("(module m (:exports [f]) (defn f [] 1) (defn g [] 2)) (import m :only [g])", "module/private"),
        ("(module m (def x 1)) (import m :only [nope])", "module/private"),
        ("(module m (def x 1)) m/x", "undefined"),
        ("(module m (module m))", "module/nested"),
        ("(module m (import m))", "module/cycle"),
    ],
)
def test_modules_that_are_wrong(text: str, code: str):
    assert failure(text).code == code


def test_a_module_is_found_beside_the_file(tmp_path: Path):
    write(tmp_path, {"main.rtfs": "(import lib) (lib/f 20)", "lib.rtfs": "(module lib (defn f [x] (+ x 1)))"})
    assert run(tmp_path) == "21"


def test_a_name_with_dots_is_a_path(tmp_path: Path):
    write(
        tmp_path,
        {
            "main.rtfs": "(import my.app/math) (my.app/math/f 2)",
            "my/app/math.rtfs": "(module my.app/math (defn f [x] (* x x)))",
        },
    )
    assert run(tmp_path) == "4"


def test_a_module_is_found_on_the_module_path(tmp_path: Path):
    write(
        tmp_path, {"app/main.rtfs": "(import lib.util) lib.util/x", "libs/lib/util.rtfs": "(module lib.util (def x 7))"}
    )
    assert run(tmp_path / "app", "main.rtfs", tmp_path / "libs") == "7"
    assert run_to_error(tmp_path / "app").code == "module/not-found"


def test_the_file_beside_comes_before_the_path(tmp_path: Path):
    write(
        tmp_path,
        {
            "app/main.rtfs": "(import lib) lib/x",
            "app/lib.rtfs": "(module lib (def x :beside))",
            "libs/lib.rtfs": "(module lib (def x :path))",
        },
    )
    assert run(tmp_path / "app", "main.rtfs", tmp_path / "libs") == ":beside"


def test_a_text_without_a_file_has_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, {"lib.rtfs": "(module lib (def x 1))"})
    monkeypatch.chdir(tmp_path)
    assert failure("(import lib) lib/x", name="<string>").code == "module/not-found"


def test_a_module_runs_once(tmp_path: Path):
    write(
        tmp_path,
        {
            "main.rtfs": "(import a) (import b) (= a/thing b/thing)",
            "a.rtfs": "(module a (import base) (def thing base/thing))",
            "b.rtfs": "(module b (import base) (def thing base/thing))",
            "base.rtfs": "(module base (def thing (fn [] 1)))",
        },
    )
    assert run(tmp_path) == "true"


def test_a_file_may_hold_several_modules(tmp_path: Path):
    write(
        tmp_path,
        {
            "main.rtfs": "(import lib) (import lib.inner) [lib/x lib.inner/y]",
            "lib.rtfs": "(module lib.inner (def y 2)) (module lib (import lib.inner) (def x (* 10 lib.inner/y)))",
        },
    )
    assert run(tmp_path) == "[20 2]"


def test_circles_are_shown(tmp_path: Path):
    write(
        tmp_path,
        {
            "main.rtfs": "(import a)",
            "a.rtfs": "(module a (import b))",
            "b.rtfs": "(module b (import c))",
            "c.rtfs": "(module c (import a))",
        },
    )
    error = run_to_error(tmp_path)
    assert error.code == "module/cycle"
    assert "a → b → c → a" in error.message
    assert error.span is not None
    assert error.span.source.name.endswith("c.rtfs")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"(module other (def x 1))", "module/not-found"),
        (b"(def x 1)", "module/not-found"),
        (b"(module lib (def x 1)", "reader/unclosed"),
        (b"(module lib (def x (if)))", "form/shape"),
        (b'(module lib (def x "\xff"))', "reader/encoding"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, content: bytes, code: str):
    write(tmp_path, {"main.rtfs": "(import lib) lib/x"})
    (tmp_path / "lib.rtfs").write_bytes(content)
    error = run_to_error(tmp_path)
    assert error.code == code
    again = run_to_error(tmp_path)
    assert (again.code, again.message) == (error.code, error.message)


def test_a_failing_import_can_be_tried_again(tmp_path: Path):
    write(tmp_path, {"lib.rtfs": "(module lib (def x (if)))"})
    environment = new_environment((str(tmp_path),))
    assert failure("(import lib)", environment).code == "form/shape"
    write(tmp_path, {"lib.rtfs": "(module lib (def x 5))"})
    assert printed("(import lib) lib/x", environment) == "5"


def test_an_error_in_a_module_is_shown_in_its_file(tmp_path: Path):
    write(tmp_path, {"main.rtfs": "(import lib)\n(lib/f 0)", "lib.rtfs": "(module lib\n  (defn f [x] (/ 1 x)))"})
    error = run_to_error(tmp_path)
    assert error.span is not None
    assert error.span.source.name == str(tmp_path / "lib.rtfs")
    assert error.span.line == 2
    assert [name for name, _ in error.trace] == ["f", "the program"]


@pytest.mark.parametrize("lib", ["(def x %s)", "(defmacro m [] %s)", "(defn h [] %s) (defmacro m [] (h))"])
def test_a_changed_file_is_noticed_though_units_are_cached(tmp_path: Path, lib: str):
    use = "lib/x" if lib.startswith("(def x") else "(lib/m)"
    write(tmp_path, {"main.rtfs": f"(import lib) {use}"})
    for value in ("1", "1", "2", "2", "1"):
        write(tmp_path, {"lib.rtfs": f"(module lib {lib % value})"})
        assert run(tmp_path) == value


def test_a_changed_file_far_away_is_noticed(tmp_path: Path):
    write(
        tmp_path,
        {
            "main.rtfs": "(import a) (a/m)",
            "a.rtfs": "(module a (import b) (defmacro m [] (b/n)))",
        },
    )
    for value in ("1", "1", "2", "2", "3"):
        write(tmp_path, {"b.rtfs": f"(module b (defmacro n [] {value}))"})
        assert run(tmp_path) == value


def test_a_changed_program_uses_the_macros_of_a_cached_file(tmp_path: Path):
    write(
        tmp_path,
        {
            "lib.rtfs": "(module lib (import util) (defn twice [x] (* 2 x)) (defmacro m [x] (util/h (twice x)))"
            " (deftype T int) (defstruct P :x int) (defmacro q [x] `(twice ~x)))",
            "util.rtfs": "(module util (def step 1) (defn h [x] (+ x step)))",
        },
    )
    for number in (1, 2, 3):
        write(
            tmp_path,
            {"main.rtfs": f"(import lib) [(lib/m {number}) ((fn [x : lib/T] x) 1) (lib/P {{:x 1}}) (lib/q 5)]"},
        )
        assert run(tmp_path) == f"[{2 * number + 1} 1 {{:x 1}} 10]"


def test_a_file_that_comes_up_beside_wins_over_the_cached_one(tmp_path: Path):
    write(tmp_path, {"app/main.rtfs": "(import lib) lib/x", "libs/lib.rtfs": "(module lib (def x :path))"})
    assert run(tmp_path / "app", "main.rtfs", tmp_path / "libs") == ":path"
    write(tmp_path, {"app/lib.rtfs": "(module lib (def x :beside))"})
    assert run(tmp_path / "app", "main.rtfs", tmp_path / "libs") == ":beside"
    (tmp_path / "app/lib.rtfs").unlink()
    assert run(tmp_path / "app", "main.rtfs", tmp_path / "libs") == ":path"


def test_a_program_after_an_import_notices_the_changed_file(tmp_path: Path):
    for value in ("1", "1", "2", "1"):
        write(tmp_path, {"lib.rtfs": f"(module lib (defmacro m [] {value}))"})
        environment = new_environment((str(tmp_path),))
        printed("(import lib)", environment)
        assert printed("(lib/m)", environment) == value


def test_a_program_that_does_not_compile_leaves_no_trace():
    environment = new_environment()
    printed("(def x 1) (defmacro m [] :macro) (deftype T int)", environment)
    for text in (
        "(defn when [x] x) (if)",
        "(module n (def y 1)) (if)",
        "(defn m [] :function) (if)",
        "(defmacro m [] :changed) (if)",
        "(deftype T string) (if)",
        "(module n (:exports [z])) (import n) (if)",
    ):
        assert failure(text, environment).code == "form/shape"
    assert printed("(when true 5)", environment) == "5"
    assert printed("(m)", environment) == ":macro"
    assert printed("((fn [v : T] v) 1)", environment) == "1"
    assert failure("(import n)", environment).code == "module/not-found"
