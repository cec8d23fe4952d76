"""The unit cache: used when it can be trusted, as good as absent otherwise."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rtfs
from rtfs.compiler.units import disk_cache
from rtfs.compiler.units.digest import hasher
from rtfs.machine import new_environment
from rtfs.source import Source
from tests.compiler.support import compilations, failure, printed

PROGRAM = """(defmacro unless [c x] `(if ~c nil ~x))
(deftype Small [:and int [:< 100]])
(defn f [x : Small] (unless (= x 0) ['quoted {:k "v"} x 1.5 (quote (a [b] {c 1}))]))
(f 7)"""
VALUE = '[quoted {:k "v"} 7 1.5 (a [b] {c 1})]'


@pytest.fixture(autouse=True)
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "units"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("RTFS_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sources that were compiled, not loaded."""
    return compilations(monkeypatch, lambda source: source.name)


def key_of(text: str) -> Path:
    unit_key = disk_cache.key(Source(text, "test.rtfs"), new_environment().state, "user")
    return Path(os.environ["RTFS_CACHE_DIR"]) / unit_key.hex()[:40]


def test_the_second_compilation_comes_from_the_cache(units: Path, compiled: list[str]):
    assert printed(PROGRAM) == VALUE
    assert "test.rtfs" in compiled
    compiled.clear()
    assert printed(PROGRAM) == VALUE
    assert compiled == []
    assert (units.stat().st_mode & 0o777) == 0o700
    assert all((file.stat().st_mode & 0o777) == 0o600 for file in units.iterdir())


def test_a_changed_macro_of_the_standard_library_is_seen(tmp_path: Path):
    root = Path(rtfs.__file__).parent.parent
    for name in ("rtfs", "stdlib", "grammar"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "script.rtfs"
    script.write_text("(when true 1)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def value() -> str:
        command = [sys.executable, "-m", "rtfs", "run", str(script)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout.strip()

    assert value() == "1"
    core = tmp_path / "stdlib" / "core.rtfs"
    text = core.read_text()
    assert "(defmacro when\n" in text
    core.write_text(text + "\n(defmacro when [condition & body] 42)\n")
    assert value() == "42"


def test_errors_from_the_cache_have_the_same_place():
    text = "(defn f [x]\n  (/ x 0))\n(f 1)"
    first, second = failure(text), failure(text)
    assert first.span == second.span
    assert [name for name, _ in first.trace] == [name for name, _ in second.trace] == ["f", "the program"]


def test_a_program_that_does_not_compile_is_not_kept(units: Path):
    for _ in range(2):
        assert failure("(def x 1) (if)").code == "form/shape"
    assert not key_of("(def x 1) (if)").exists()


def damaged_head(content: bytes) -> bytes:
    return b"x" + content[1:]


def damaged_body(content: bytes) -> bytes:
    return content[:-10] + bytes([content[-10] ^ 1]) + content[-9:]


def damaged_checksum(content: bytes) -> bytes:
    at = len(disk_cache._FORMAT)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        damaged_head,
        damaged_body,
        damaged_checksum,
        lambda content: content[: len(content) // 2],
        lambda content: content[:20],
        lambda content: b"",
        lambda content: content + b"more",
        lambda content: os.urandom(len(content)),
    ],
)
def test_damaged_units_are_ignored(compiled: list[str], damage):
    assert printed(PROGRAM) == VALUE
    file = key_of(PROGRAM)
    file.write_bytes(damage(file.read_bytes()))
    compiled.clear()
    assert printed(PROGRAM) == VALUE
    assert "test.rtfs" in compiled
    compiled.clear()
    assert printed(PROGRAM) == VALUE  # and mended
    assert compiled == []


def test_a_unit_under_another_key_is_ignored(compiled: list[str]):
    printed("1")
    printed("2")
    key_of("2").write_bytes(key_of("1").read_bytes())
    compiled.clear()
    assert printed("2") == "2"
    assert compiled == ["test.rtfs"]


def test_bytes_with_a_right_checksum_for_no_key_of_ours_are_ignored(compiled: list[str]):
    printed("1")
    body = marshal.dumps(("not", "a", "unit"))
    wrong = hasher(b"\0" * 32 + body).digest()
    key_of("1").write_bytes(disk_cache._FORMAT + wrong + body)
    compiled.clear()
    assert printed("1") == "1"
    assert compiled == ["test.rtfs"]


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_may_write_is_not_used(units: Path, compiled: list[str], mode: int):
    printed(PROGRAM)
    units.chmod(mode)
    compiled.clear()
    assert printed(PROGRAM) == VALUE
    assert "test.rtfs" in compiled
    assert disk_cache.folder() is None


def test_a_folder_of_somebody_else_is_not_used(units: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]):
    printed(PROGRAM)
    real = os.getuid()
    monkeypatch.setattr(disk_cache.os, "getuid", lambda: real + 1)
    assert disk_cache.folder() is None
    compiled.clear()
    assert printed(PROGRAM) == VALUE
    assert "test.rtfs" in compiled


def test_a_file_that_is_a_link_into_elsewhere_is_checked_like_any(units: Path, tmp_path: Path):
    printed("1")
    file = key_of("1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"nonsense")
    file.unlink()
    file.symlink_to(elsewhere)
    assert printed("1") == "1"


def test_the_cache_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, compiled: list[str]):
    monkeypatch.setenv("RTFS_CACHE_DIR", "")
    assert disk_cache.folder() is None
    for _ in range(2):
        compiled.clear()
        assert printed(PROGRAM) == VALUE
        assert "test.rtfs" in compiled


def test_a_folder_that_cannot_be_made_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RTFS_CACHE_DIR", str(tmp_path / "file" / "units"))
    assert printed(PROGRAM) == VALUE


def test_the_key_depends_on_text_name_module_and_what_was_before():
    base = disk_cache.key(Source("1", "a"), b"", "user")
    assert base == disk_cache.key(Source("1", "a"), b"", "user")
    others = [
        disk_cache.key(Source("2", "a"), b"", "user"),
        disk_cache.key(Source("1", "b"), b"", "user"),
        disk_cache.key(Source("1", "a"), b"x", "user"),
        disk_cache.key(Source("1", "a"), b"", "other"),
        disk_cache.key(Source("1", "aa"), b"", "use"),
    ]
    assert len({base, *others}) == len(others) + 1


def test_the_key_depends_on_the_compiler(monkeypatch: pytest.MonkeyPatch):
    before = disk_cache.key(Source("1"), b"", "user")
    monkeypatch.setattr(disk_cache, "_compiler", b"another compiler")
    assert disk_cache.key(Source("1"), b"", "user") != before


def test_the_same_text_means_something_else_after_another_definition():
    values = []
    for first in ("(defmacro m [x] x)", "(defn m [x] [:f x])", "(defmacro m [x] x)"):
        environment = new_environment()
        printed(first, environment)
        values.append(printed("(m 1)", environment))
    assert values == ["1", "[:f 1]", "1"]


def test_a_program_after_a_cached_one_sees_its_macros_types_and_names():
    first = "(defn h [x] (* 2 x)) (defmacro m [x] (h x)) (deftype T int) (def inc 5)"
    for last in ("[(m 2) ((fn [x : T] x) 1) inc]", "[inc (m 2) ((fn [x : T] x) 1)]"):
        environment = new_environment()
        printed(first, environment)
        assert sorted(printed(last, environment).strip("[]").split()) == ["1", "4", "5"]


def test_constants_that_marshal_cannot_hold():
    text = "(quote (" + "[" * 3000 + "]" * 3000 + "))"
    assert printed(text) == printed(text)


def test_the_folder_stays_bounded(units: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(disk_cache, "_MAX_FILES", 10)
    monkeypatch.setattr(disk_cache, "_TIDY_EVERY", 1)
    for number in range(40):
        printed(str(number))
    assert len(list(units.iterdir())) <= 11


def test_what_comes_from_no_file_is_not_written(units: Path):
    printed("(+ 1 40)")
    before = set(units.iterdir())
    for name in ("<string>", "<repl 1>", "<stdin>"):
        assert printed("(+ 1 41)", name=name) == "42"
    assert set(units.iterdir()) == before


def test_no_half_written_files_are_left(units: Path):
    printed(PROGRAM)
    assert all("." not in file.name for file in units.iterdir())


def test_two_environments_at_once_write_the_same_unit(units: Path):
    import threading

    values: list[str] = []
    threads = [threading.Thread(target=lambda: values.append(printed(PROGRAM))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [VALUE] * 6


def test_no_part_of_a_unit_stays_where_there_is_no_room(units: Path, monkeypatch: pytest.MonkeyPatch):
    def full(source: str, target: str) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert printed(PROGRAM) == VALUE
    assert list(units.iterdir()) == []
