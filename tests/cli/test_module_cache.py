"""The command's cache of modules: used while the sources are unchanged, and never trusted further than that."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rtfs.cli.module_cache import _FORMAT, _compiled

ROOT = Path(__file__).parents[2]
HELLO = """
import sys
from rtfs.cli.main import main
code = main()
host = [module for name, module in sys.modules.items() if name.startswith("rtfs.host")]
loaders = {type(module.__spec__.loader).__name__ for module in host}
print(code, *sorted(loaders))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package of its own, with bytecode but no cache."""
    folder = tmp_path_factory.mktemp("installed")
    for part in ("rtfs", "stdlib", "grammar"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "hello.rtfs").write_text('(println "hello")')
    started(folder)
    return folder


def cache_of(folder: Path) -> list[Path]:
    return list((folder / "rtfs" / "__pycache__").glob("modules.*.cache"))


@pytest.fixture
def package(installed: Path) -> Path:
    for file in cache_of(installed):
        file.unlink()
    return installed


def started(folder: Path, **variables: str) -> str:
    """What a process prints that runs the program: its output, its exit code, and who loaded the host's modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**kept, "PYTHONPATH": str(folder), "RTFS_CACHE_DIR": str(folder / "units"), **variables}
    done = subprocess.run(
        [sys.executable, "-c", HELLO, "run", "hello.rtfs"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def test_the_second_start_loads_modules_from_the_cache(package: Path) -> None:
    assert started(package) == "hello\n0 SourceFileLoader\n"
    assert started(package) == "hello\n0 CachedLoader\n"


@pytest.mark.parametrize("starts", [1, 2])
def test_a_changed_source_is_seen(package: Path, starts: int) -> None:
    """Also where its code is kept with that of the module that imports it."""
    for _ in range(starts):
        started(package)
    source = package / "rtfs" / "capabilities" / "providers" / "console.py"
    text = source.read_text()
    try:
        source.write_text(text + "\nprint('changed')\n")
        assert started(package) == "changed\nhello\n0 CachedLoader\n"
    finally:
        source.write_text(text)


def test_what_a_module_imports_is_kept_with_it_from_the_second_start_on(package: Path) -> None:
    started(package)
    (file,) = cache_of(package)
    alone = file.read_bytes()
    started(package)
    together = file.read_bytes()
    assert len(together) > len(alone)
    assert started(package) == "hello\n0 CachedLoader\n"
    assert file.read_bytes() == together


REPLACED = """
import os, sys
from rtfs.cli.module_cache import ModuleCache
cache = ModuleCache()
cache.install()
os.utime(cache.path, ns=(1, 1))
import rtfs.host.runtime
print(type(rtfs.host.runtime.__spec__.loader).__name__, rtfs.host.runtime.Runtime.__name__)
"""


def test_code_is_not_read_from_a_file_that_was_replaced_meanwhile(package: Path) -> None:
    started(package)
    done = subprocess.run(
        [sys.executable, "-c", REPLACED], env={**os.environ, "PYTHONPATH": str(package)}, cwd=package,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("CachedLoader Runtime\n", "")


def test_bytecode_that_is_older_than_its_source_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "fresh.py"
    source.write_text("value = 1")
    py_compile.compile(str(source))
    spec = spec_from_file_location("fresh", source)
    assert spec is not None
    module = module_from_spec(spec)
    assert _compiled(module) is not None
    status = source.stat()
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + 2_000_000_000))
    assert _compiled(module) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", _FORMAT, _FORMAT + b"\xff" * 16, _FORMAT + (5).to_bytes(8, "little") + bytes(8) + b"[abcd"],
)
def test_a_damaged_cache_is_not_used_and_written_again(package: Path, content: bytes) -> None:
    started(package)
    (file,) = cache_of(package)
    file.write_bytes(content)
    assert started(package) == "hello\n0 SourceFileLoader\n"
    assert started(package) == "hello\n0 CachedLoader\n"


def test_a_folder_that_cannot_be_written_is_no_error(package: Path) -> None:
    started(package)
    (file,) = cache_of(package)
    file.unlink()
    file.mkdir()  # also root cannot replace it by a file
    try:
        assert started(package) == "hello\n0 SourceFileLoader\n"
        assert [path.name for path in file.parent.iterdir() if path.name.startswith(file.name)] == [file.name]
    finally:
        file.rmdir()


def test_python_keeps_its_bytecode_elsewhere_and_no_cache_is_made(package: Path, tmp_path: Path) -> None:
    assert started(package, PYTHONPYCACHEPREFIX=str(tmp_path)) == "hello\n0 SourceFileLoader\n"
    assert cache_of(package) == []
