"""The key-value store in a file: kept over processes, each principal's apart, changed by one at a time; what a durable
run changed that was interrupted is neither lost nor done twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.durable.folder_store import FolderRunStore

ROOT = Path(__file__).resolve().parent.parent.parent
VALUES = '[1 1.0 true nil "é\\u0000" :k sym (quote (1 2)) {:a [1 {"b" 2.5}]} 123456789012345678901234567890]'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kv.db"


def run(file: Path | None, source: str, principal: str = "local", **options: Any) -> str:
    with rtfs.Runtime(kv=file) as runtime:
        return rtfs.to_text(runtime.run(source, principal=principal, **options))


def test_values_of_every_kind_are_there_for_the_next_process(file: Path):
    source = VALUES.replace("sym", "(quote sym)")
    kept = run(file, f'(kv/put "k" {source})')
    assert run(file, '(kv/get "k")') == kept
    assert run(file, f'(= (kv/get "k") {source})') == "true"
    assert run(file, '(kv/get "K")') == "nil"


@pytest.mark.parametrize("in_memory", [True, False])
def test_operations_do_the_same_in_memory_and_in_a_file(file: Path, in_memory: bool):
    source = (
        '[(kv/get 1 :none) (kv/put 1 :int) (kv/put 1.0 :float) (kv/get 1) (kv/assoc! "m" :a 1 :b 2) (kv/dissoc! "m" :a)'
        ' (kv/conj! "v" 1 2) (call "ccos.state.kv.delete" "v") (call "ccos.state.kv.delete" "v") (kv/get "v")'
        ' (kv/put "\\u0000é" 1) (kv/get "\\u0000é") (kv/put nil nil) (kv/get nil 5)]'
    )
    expected = "[:none :int :float :int {:a 1 :b 2} {:b 2} [1 2] [1 2] nil nil 1 1 nil nil]"
    assert run(None if in_memory else file, source) == expected


@pytest.mark.parametrize("in_memory", [True, False])
def test_principals_do_not_see_each_others_values(file: Path, in_memory: bool):
    with rtfs.Runtime(kv=None if in_memory else file) as runtime:
        runtime.run('(kv/put "k" 1)', principal="ann")
        assert runtime.run('(kv/get "k")', principal="bob") is None
        runtime.run('(kv/conj! "k" 2)', principal="bob")
        assert runtime.run('(kv/get "k")', principal="ann") == 1


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    "source",
    ['(kv/put "k" big)', '(kv/conj! "k" big)', '(kv/assoc! "k" :a big)', '(kv/put "k" (join "" (repeat 600000 "é")))'],
)
def test_the_size_of_a_value_is_bounded(file: Path, in_memory: bool, source: str):
    with rtfs.Runtime(kv=None if in_memory else file) as runtime:
        runtime.run('(def big (join "" (repeat 1100000 "x")))')
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run(source)
        assert caught.value.code == "capability/failed"
        assert "at most 1,048,576 bytes" in caught.value.message
        assert runtime.run('(kv/get "k")') is None


def test_a_value_cannot_grow_beyond_the_bound_little_by_little(file: Path):
    grow = '(let [part (join "" (repeat 300000 "x"))] (dotimes [i 4] (kv/conj! "k" part)))'
    with rtfs.Runtime(kv=file) as runtime:
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run(grow)
        assert caught.value.code == "capability/failed"
        assert runtime.run('(count (kv/get "k"))') == 3


def test_two_processes_lose_no_change(file: Path):
    program = (
        "import sys, rtfs\n"
        "with rtfs.Runtime(kv=sys.argv[1]) as rt:\n"
        "    rt.run('(dotimes [i 100] (kv/conj! \"v\" i))')\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(file)], env={**os.environ, "PYTHONPATH": str(ROOT)})
        for _ in range(2)
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert run(file, '(= (sort (kv/get "v")) (sort (concat (range 100) (range 100))))') == "true"


def test_branches_lose_no_change(file: Path):
    assert run(file, "(step-parallel " + '(dotimes [i 20] (kv/conj! "v" i)) ' * 4 + ') (count (kv/get "v"))') == "80"


def test_the_file_is_the_owners_only(file: Path):
    with rtfs.Runtime(kv=file) as runtime:
        runtime.run('(kv/put "k" 1)')
        names = sorted(file.parent.glob("kv.db*"))
        assert {stat.S_IMODE(name.stat().st_mode) for name in names} == {0o600}
        assert len(names) == 3


def test_a_configuration_names_the_file_beside_it(tmp_path: Path):
    (tmp_path / "rtfs.yaml").write_text("kv: kv.db\n")
    with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as runtime:
        runtime.run('(kv/put "k" 7)')
    assert run(tmp_path / "kv.db", '(kv/get "k")') == "7"


def test_nothing_is_made_where_nothing_is_kept(file: Path):
    run(file, "(+ 1 2)")
    assert not file.exists()


@pytest.mark.parametrize("trouble", ["nonsense", "folder", "no folder"])
def test_a_file_that_cannot_be_used_is_an_error_of_the_call(tmp_path: Path, trouble: str):
    file = tmp_path / ("none/kv.db" if trouble == "no folder" else "kv.db")
    if trouble == "folder":
        file.mkdir()
    elif trouble == "nonsense":
        file.write_text("nonsense" * 1000)
    with rtfs.Runtime(kv=file) as runtime:
        for source in ('(kv/get "k")', '(kv/put "k" 1)'):
            with pytest.raises(rtfs.UserError) as caught:
                runtime.run(source)
            assert caught.value.code == "capability/failed"
            assert str(file) in caught.value.message


def test_a_damaged_value_is_an_error_of_the_call(file: Path):
    run(file, '(kv/put "k" 1)')
    connection = sqlite3.connect(file)
    connection.execute("UPDATE kv SET value = '?'")
    connection.commit()
    connection.close()
    assert (
        run(file, '[(try (kv/get "k") (catch e (:code e))) (kv/put "k" 2) (kv/get "k")]') == "[:capability/failed 2 2]"
    )


# ---------------------------------------------------------------------- durable runs

PLAN = (
    '(capability "own" :implementation (fn [x] (kv/conj! "v" x))) '
    '(kv/put "n" 0) (kv/conj! "v" 1) (kv/assoc! "m" :a 1) (call "own" 2) '
    '(step-parallel (kv/conj! "p" 3) (kv/conj! "q" 4)) '
    '^{:runtime.retry 1} (call "own" 5) (call "ccos.state.kv.delete" "n") (kv/conj! "v" 6) '
    '[(kv/get "n") (kv/get "v") (kv/get "m") (kv/get "p") (kv/get "q")]'
)
VALUE = "[nil [1 2 5 6] {:a 1} [3] [4]]"
VICTIM = """
import os, signal, sys
import rtfs
from rtfs.host import sqlite
import sqlite3
from rtfs.host.durable.journal import Journal
folder, mode, left, where = sys.argv[1], sys.argv[2], [int(sys.argv[3])], sys.argv[4]
append = Journal.append

def around(work):
    left[0] -= 1
    mine = left[0] == 0
    if mine and where == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = work()
    if mine:
        os.kill(os.getpid(), signal.SIGKILL)
    return found

class Connection(sqlite3.Connection):
    def execute(self, sql, *rest):
        work = lambda: super(Connection, self).execute(sql, *rest)
        return around(work) if sql == "COMMIT" else work()

Journal.append = lambda self, line: around(lambda: append(self, line))

sqlite.connect = lambda path: sqlite3.connect(
    path, isolation_level=None, check_same_thread=False, timeout=10, factory=Connection)
with rtfs.Runtime(kv=folder + "/kv.db", state=folder + "/runs") as rt:
    print(rtfs.to_text(rt.run(PLAN, durable=True, run_id="r") if mode == "run" else rt.resume("r")))
"""


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_run_killed_around_any_transaction_changes_everything_once(tmp_path: Path, where: str):
    program = f"PLAN = {PLAN!r}\n{VICTIM}"

    def start(folder: Path, mode: str, point: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, str(folder), mode, str(point), where]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    for point in range(1, 60):
        folder = tmp_path / str(point)
        folder.mkdir()
        found = start(folder, "run", point)
        if found.returncode == 0:
            assert found.stdout.strip() == VALUE
            assert point > 20
            return
        assert found.returncode == -signal.SIGKILL, found.stderr
        runs = folder / "runs" / "r.journal"
        begun = runs.exists() and runs.stat().st_size > 0
        done = start(folder, "resume" if begun else "run", 0)
        assert done.stdout.strip() == VALUE, (point, done.stdout, done.stderr)
    raise AssertionError("it does not end")


def test_a_repeated_call_does_not_undo_what_somebody_else_did_since(counting: Callable[..., Any], file: Path):
    """The process died between the change and its outcome's record: the change is not made again."""
    one = counting(kv=file)
    values = one.runtime._kv
    change = values.__class__.change

    def dying(self: Any, *rest: Any) -> Any:
        change(self, *rest)
        raise KeyboardInterrupt

    values.__class__.change = dying
    try:
        with pytest.raises(rtfs.UserError):  # a thread's end, told as an error
            one.runtime.run('(kv/put "k" [1]) (call "count" 1)', durable=True, run_id="r")
    finally:
        values.__class__.change = change
    assert run(file, '(kv/conj! "k" 2)') == "[1 2]"


def test_a_run_with_the_id_of_a_deleted_one_is_another_run(file: Path, state: Path):
    for expected in ("[1]", "[1 1]"):
        with rtfs.Runtime(kv=file, state=state) as runtime:
            assert rtfs.to_text(runtime.run('(kv/conj! "v" 1)', durable=True, run_id="r")) == expected
        FolderRunStore(str(state)).delete("r")


def test_replaying_a_recording_changes_nothing(file: Path, tmp_path: Path):
    source = '(kv/conj! "v" 1) (kv/get "v")'
    assert run(file, source, record=tmp_path / "r.jsonl") == "[1]"
    assert run(file, source, replay=tmp_path / "r.jsonl") == "[1]"
    assert run(file, '(kv/get "v")') == "[1]"
