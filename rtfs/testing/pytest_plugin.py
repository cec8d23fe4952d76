"""The pytest plugin: collects `*.test.rtfs`, one item a chunk, in any order and in parallel.

Loaded in every pytest run of an environment that has this package, so it imports nothing of it until a golden file is
met. With `--rtfs-update` the edits of all workers are made by the one controlling process, after the last test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SUFFIX = ".test.rtfs"
_EDITS = pytest.StashKey[dict[str, list[tuple[int, int, str]]]]()


class GoldenFailure(Exception):
    """A chunk that did not do what its file expects; the text is the report."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rtfs", "RTFS golden files")
    group.addoption("--rtfs-update", action="store_true", help="write the actual results into the golden files")
    group.addoption(
        "--rtfs-allow",
        action="append",
        default=[],
        metavar="GRANT",
        help="a grant for effects outside the process, e.g. net:HOST",
    )
    group.addoption("--rtfs-config", metavar="FILE", help="configuration with declarations that stubs must match")
    group.addoption(
        "--rtfs-load", action="append", default=[], metavar="FILE", help="declarations that stubs must match"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_EDITS] = {}


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return GoldenModule.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    edits = session.config.stash[_EDITS]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["rtfs_edits"] = edits
    else:
        _write(edits)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the edits of one of xdist's workers."""
    collected = node.config.stash[_EDITS]
    for path, edits in getattr(node, "workeroutput", {}).get("rtfs_edits", {}).items():
        collected.setdefault(path, []).extend(tuple(edit) for edit in edits)


class GoldenModule(pytest.File):
    """A golden file."""

    def collect(self) -> Iterator[pytest.Item]:
        from rtfs.testing.command import load

        file = load(self.path)
        if file.problems:
            yield GoldenChunk.from_parent(self, name="file", file=file, chunk=None)
        for chunk in file.chunks:
            yield GoldenChunk.from_parent(self, name=chunk.name, file=file, chunk=chunk)


class GoldenChunk(pytest.Item):
    """A chunk; without one the item represents the file, which has problems as a whole."""

    def __init__(self, *, file: Any, chunk: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.file = file
        self.chunk = chunk

    def runtest(self) -> None:
        from rtfs.testing.command import show
        from rtfs.testing.runner import Options, run_chunk

        problems = self.file.problems
        if self.chunk is not None:
            option = self.config.getoption
            options = Options(
                allow=option("rtfs_allow"),
                update=option("rtfs_update"),
                config=option("rtfs_config"),
                load=option("rtfs_load"),
            )
            outcome = run_chunk(self.file, self.chunk, options)
            problems = outcome.problems
            edits = self.config.stash[_EDITS].setdefault(self.file.name, [])
            edits += [(edit.start, edit.end, edit.text) for edit in outcome.edits]
        if problems:
            raise GoldenFailure("\n\n".join(show(self.file, self.chunk, problem) for problem in problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, GoldenFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        line = self.chunk.line if self.chunk is not None else 1
        return self.path, line - 1, f"{self.path.name}: {self.name}"


def _write(edits: dict[str, list[tuple[int, int, str]]]) -> None:
    if not any(edits.values()):
        return
    from rtfs.testing.command import load, write
    from rtfs.testing.runner import Edit

    for path, changes in edits.items():
        if changes:
            write(load(Path(path)), [Edit(*change) for change in changes])
