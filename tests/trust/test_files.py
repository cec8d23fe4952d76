"""The file that was decided about is the file that is reached: whatever links are swapped meanwhile, nothing outside of
a grant is read, written or deleted; what is not a regular file hangs nothing; a file is written whole or not at all."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import rtfs
from rtfs.capabilities.providers import files, opening

ROUNDS = 400
SECRET = "what nobody may see"
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """The granted folder, with `sub/f`, beside a folder `outside` with another `f`."""
    for folder, text in (("inside", "inside"), ("outside", SECRET)):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "f").write_text(text)
        (tmp_path / folder / "sub" / "f").write_text(text)
    return tmp_path / "inside"


@pytest.fixture
def rt(inside: Path) -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime([f"fs:read:{inside}", f"fs:write:{inside}"], context={"dir": str(inside)}) as runtime:
        yield runtime


def code_of(rt: rtfs.Runtime, source: str) -> str:
    try:
        rt.run(source)
    except rtfs.UserError as error:
        return error.code
    return "ok"


@contextmanager
def swapping(path: Path, to: Path) -> Iterator[None]:
    """While it lasts, `path` is now what it was, now a link to `to`."""
    over = threading.Event()
    aside, link = path.with_name(path.name + ".aside"), path.with_name(path.name + ".link")

    def swap() -> None:
        steps = (
            lambda: os.symlink(to, link),
            lambda: os.rename(path, aside),
            lambda: os.rename(link, path),
            lambda: os.unlink(path),
            lambda: os.rename(aside, path),
        )
        while not over.is_set():
            for step in steps:
                with suppress(OSError):  # the program may have been there first
                    step()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("swapped", ["f", "sub"])
def test_no_swap_of_links_leads_a_read_out_of_its_grant(rt: rtfs.Runtime, inside: Path, swapped: str):
    name = "f" if swapped == "f" else "sub/f"
    seen = set()
    with swapping(inside / swapped, inside.parent / "outside" / swapped):
        for _ in range(ROUNDS):
            seen.add(rt.run(f'(try (read-file (str @dir "/{name}")) (catch e (:code e)))'))
    assert seen <= {"inside", rtfs.Keyword("policy/denied"), rtfs.Keyword("capability/failed")}


@pytest.mark.parametrize(
    "action", ['(write-file p "changed")', "(delete-file p)", '(do (delete-file p) (write-file p ""))']
)
@pytest.mark.parametrize("swapped", ["f", "sub"])
def test_no_swap_of_links_leads_a_change_out_of_its_grant(rt: rtfs.Runtime, inside: Path, swapped: str, action: str):
    outside = inside.parent / "outside"
    name = "f" if swapped == "f" else "sub/f"
    with swapping(inside / swapped, outside / swapped):
        for _ in range(ROUNDS // 2):
            code_of(rt, f'(let [p (str @dir "/{name}")] {action})')
            assert sorted(os.listdir(outside)) == ["f", "sub"]
            assert os.listdir(outside / "sub") == ["f"]
            assert (outside / name).read_text() == SECRET


@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize("linked", ["f", "sub"])
def test_a_link_that_appears_after_the_decision_is_an_error_that_says_so(
    inside: Path, linked: str, walks: bool, monkeypatch: pytest.MonkeyPatch
):
    """The embedder's policy is asked after the path was resolved: it swaps."""
    monkeypatch.setattr(opening, "WALKS", walks)
    outside = inside.parent / "outside"

    def swap(request: rtfs.PolicyRequest) -> None:
        (inside / linked).rename(inside / "gone")
        (inside / linked).symlink_to(outside / linked)

    def back() -> None:
        (inside / linked).unlink()
        (inside / "gone").rename(inside / linked)

    path = inside / ("f" if linked == "f" else "sub/f")
    grants = [f"fs:read:{inside}", f"fs:write:{inside}"]
    with rtfs.Runtime(grants, policy=swap, policy_seconds=10) as rt:
        for source in (f'(read-file "{path}")', f'(write-file "{path}" "x")'):
            with pytest.raises(rtfs.UserError) as caught:
                rt.run(source)
            assert caught.value.code == "capability/failed"
            assert "a link is in its way" in caught.value.message
            back()
        code_of(rt, f'(delete-file "{path}")')
    assert (outside / "sub" / "f").read_text() == (outside / "f").read_text() == SECRET


@pytest.mark.parametrize("walks", [True, False])
def test_files_are_reached_with_and_without_descriptors_of_folders(
    rt: rtfs.Runtime, inside: Path, walks: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(opening, "WALKS", walks)
    (inside / "to-sub").symlink_to("sub")
    source = (
        '(def p (str @dir "/to-sub/é")) [(file-exists? p) (write-file p "one") (write-file p "two")'
        ' (read-file (str @dir "/./sub/../sub/é")) (file-exists? p) (delete-file p) (delete-file p)'
        " (file-exists? @dir)]"
    )
    assert rtfs.to_text(rt.run(source)) == '[false nil nil "two" true true false true]'


def test_a_relative_path_is_the_one_of_the_moment_of_the_decision(
    rt: rtfs.Runtime, inside: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(inside)
    assert rt.run('(read-file "f")') == "inside"
    monkeypatch.chdir(inside.parent / "outside")
    assert code_of(rt, '(read-file "f")') == "policy/denied"
    assert rt.run('(read-file "../inside/f")') == "inside"


def test_a_link_to_nowhere_or_to_itself_is_no_file(rt: rtfs.Runtime, inside: Path):
    (inside / "nowhere").symlink_to("none/at/all")
    (inside / "itself").symlink_to("itself")
    for name in ("nowhere", "itself"):
        assert code_of(rt, f'(read-file (str @dir "/{name}"))') == "capability/failed"
    assert code_of(rt, '(write-file (str @dir "/itself") "x")') == "capability/failed"
    assert not rt.run('(file-exists? (str @dir "/nowhere"))')
    (inside / "out").symlink_to(inside.parent / "outside" / "new")
    assert code_of(rt, '(write-file (str @dir "/out") "x")') == "policy/denied"
    assert not (inside.parent / "outside" / "new").exists()


def test_deleting_a_link_that_leads_out_deletes_the_link(rt: rtfs.Runtime, inside: Path):
    (inside / "out").symlink_to(inside.parent / "outside" / "f")
    assert rt.run('(delete-file (str @dir "/out"))') is True
    assert (inside.parent / "outside" / "f").read_text() == SECRET
    assert not (inside / "out").is_symlink()


@pytest.mark.parametrize("path", ["sub", "sub/", ".", "sub/..", "/", ""])
def test_folders_are_neither_read_written_nor_deleted(rt: rtfs.Runtime, inside: Path, path: str):
    whole = '"/"' if path == "/" else f'(str @dir "/{path}")'
    for source in (f"(read-file {whole})", f'(write-file {whole} "x")', f"(delete-file {whole})"):
        assert code_of(rt, source) in ("capability/failed", "policy/denied")
    assert (inside / "sub" / "f").exists()


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_regular_file_hangs_nothing_and_is_left_alone(
    inside: Path, kind: str, monkeypatch: pytest.MonkeyPatch
):
    path = inside / "odd" if kind != "device" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            monkeypatch.chdir(inside)  # a socket's path has to be short
            made.bind("odd")
    with rtfs.Runtime([f"fs:read:{path}", f"fs:write:{path}"], limits={"seconds": 20}) as rt:
        for source in (f'(read-file "{path}")', f'(write-file "{path}" "x")'):
            with pytest.raises(rtfs.UserError) as caught:
                rt.run(source)
            assert caught.value.code == "capability/failed"
            assert "not a regular file" in caught.value.message
        assert rt.run(f'(file-exists? "{path}")') is True
    assert not stat.S_ISREG(path.lstat().st_mode)


def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_usual(rt: rtfs.Runtime, inside: Path):
    (inside / "f").chmod(0o640)
    rt.run('(write-file (str @dir "/f") "x") (write-file (str @dir "/fresh") "y")')
    assert stat.S_IMODE((inside / "f").stat().st_mode) == 0o640
    (inside / "usual").touch()
    assert (inside / "fresh").stat().st_mode == (inside / "usual").stat().st_mode
    assert sorted(os.listdir(inside)) == ["f", "fresh", "sub", "usual"]


def test_whoever_has_a_file_open_keeps_what_was_in_it(rt: rtfs.Runtime, inside: Path):
    with open(inside / "f") as before:
        rt.run('(write-file (str @dir "/f") "new")')
        assert before.read() == "inside"


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_write_that_fails_leaves_what_was_there(
    rt: rtfs.Runtime, inside: Path, failing: str, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, failing, full)
    assert code_of(rt, '(write-file (str @dir "/f") "new")') == "capability/failed"
    monkeypatch.undo()
    assert (inside / "f").read_text() == "inside"
    assert sorted(os.listdir(inside)) == ["f", "sub"]


def test_a_process_that_is_killed_while_it_writes_leaves_what_was_there(inside: Path):
    program = (
        "import os, signal, rtfs\n"
        "real = os.write\n"
        "def dying(descriptor, data):\n"
        "    real(descriptor, bytes(data)[:3])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"with rtfs.Runtime(['fs:write:{inside}']) as rt:\n"
        "    os.write = dying\n"
        f'    rt.run(\'(write-file "{inside}/f" "something new")\')\n'
    )
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -9
    assert (inside / "f").read_text() == "inside"


def test_hints_and_retries_reach_what_was_decided_about(rt: rtfs.Runtime, inside: Path):
    hinted: list[Callable[[str], str]] = [
        lambda call: f"^{{:runtime.retry 1}} {call}",
        lambda call: f"^{{:runtime.timeout 5000}} {call}",
        lambda call: f"^{{:runtime.cache true}} {call}",
    ]
    for hint in hinted:
        assert rt.run(hint(f'(call "ccos.io.read-file" "{inside}/f")')) == "inside"
