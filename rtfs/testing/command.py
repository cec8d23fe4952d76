"""`rtfs test PATH…`: runs golden files and prints what differs.

Must not know how a chunk is run. Exit status: 0 all passed, 1 a failure; nothing to run is an error.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from rtfs.cli.usage_errors import Parser
from rtfs.cli.watch import Watch
from rtfs.host.files import near_file
from rtfs.testing.coverage import Coverage
from rtfs.testing.golden import Chunk, GoldenFile, Problem, parse
from rtfs.testing.results import Result, Results, report
from rtfs.testing.runner import Edit, Options, apply_edits, run_chunk
from rtfs.values import HostError, UserError

SUFFIX = ".test.rtfs"


def load(path: Path) -> GoldenFile:
    """Read and take apart one file; a file that cannot be read or is not UTF-8 has that as its problem."""
    try:
        return parse(path.read_bytes().decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        return GoldenFile(str(path), "", [], [Problem(1, f"not UTF-8: byte {error.start} is wrong")])
    except OSError as error:
        return GoldenFile(str(path), "", [], [Problem(1, error.strerror or str(error))])


def show(file: GoldenFile, chunk: Chunk | None, problem: Problem) -> str:
    """A problem as text: place, chunk, source line, what is wrong."""
    lines = file.text.splitlines()
    source = lines[problem.line - 1].strip() if 0 < problem.line <= len(lines) else ""
    heading = f"{file.name}:{problem.line}: {chunk.name if chunk else 'the file'}"
    body = [f"  | {source}"] if source else []
    body += [f"  {line}" for line in problem.text.split("\n")]
    return "\n".join([heading, *body])


def write(file: GoldenFile, edits: Sequence[Edit]) -> None:
    """Make the edits in the file itself."""
    Path(file.name).write_bytes(apply_edits(file.text, edits).encode("utf-8"))


def run(argv: Sequence[str]) -> int:
    """The command; argv is what follows `rtfs test`. Prints the report to standard output, returns the exit status."""
    parser = Parser(prog="rtfs test", description="Run golden files (*.test.rtfs).")
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="a file, or a folder to search for *.test.rtfs (default: .)",
    )
    parser.add_argument("--update", action="store_true", help="write the actual results into the files")
    parser.add_argument("--accept-errors", action="store_true", help="with --update: accept errors in place of values")
    parser.add_argument("--record", action="store_true", help="make the calls, and rewrite the files of ;recording")
    parser.add_argument("--allow", action="append", default=[], metavar="GRANT", help="grant, as in rtfs run")
    parser.add_argument("--config", metavar="FILE", help="configuration with declarations that stubs must match")
    parser.add_argument(
        "--load", action="append", default=[], metavar="FILE", help="declarations that stubs must match"
    )
    parser.add_argument(
        "-k", dest="only", default="", metavar="TEXT", help="only chunks whose name or file contains TEXT"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="name every chunk")
    parser.add_argument("--coverage", action="store_true", help="report which lines of the loaded files ran")
    parser.add_argument("--watch", action="store_true", help="run again whenever a file changes")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    try:
        given = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    if not given.watch:
        return _run_all(given)
    watch = Watch(lambda: _watched(given))
    while True:
        try:
            _run_all(given)
        except UserError as error:  # a file that is gone, or cannot be read at the moment
            print(f"{error.code}: {error.message}", flush=True)
        watch.wait()


def _run_all(given: Namespace) -> int:
    """Run every chunk that the options name, once."""
    coverage = Coverage() if given.coverage else None
    options = Options(
        allow=given.allow,
        update=given.update,
        accept_errors=given.accept_errors,
        record=given.record,
        config=given.config,
        load=given.load,
        coverage=coverage,
    )
    found = Results(coverage)
    with coverage if coverage is not None else nullcontext():
        for path in _found(given.paths):
            _run_file(load(path), options, given.only.lower(), found)
    return report(found, as_json=given.json, junit=given.junit, verbose=given.verbose)


def _run_file(file: GoldenFile, options: Options, only: str, found: Results) -> None:
    """Run the chunks of a file whose name or file has the text `only`."""
    edits: list[Edit] = []
    if file.problems:
        problems = [show(file, None, problem) for problem in file.problems]
        found.chunks.append(Result(file.name, "the file", 1, problems))
    for chunk in file.chunks:
        if only not in f"{file.name} {chunk.name}".lower():
            continue
        outcome = run_chunk(file, chunk, options)
        edits += outcome.edits
        found.recorded += outcome.recorded
        problems = [show(file, chunk, problem) for problem in outcome.problems]
        found.chunks.append(Result(file.name, chunk.name, chunk.line, problems))
    if edits:
        write(file, edits)
        found.updated += len(edits)


def _watched(given: Namespace) -> list[str]:
    """The golden files, what is in their folders beside them, the configuration and what is loaded."""
    try:
        files = _found(given.paths)
    except UserError:
        files = []
    folders = {path.parent for path in files} | {Path(name) for name in given.load if Path(name).is_dir()}
    beside = [str(one) for folder in folders for one in folder.iterdir() if one.suffix in (".rtfs", ".jsonl")]
    return sorted({*beside, *map(str, files), *given.load, *([given.config] if given.config else [])})


def _found(names: Sequence[str]) -> list[Path]:
    """The golden files that the paths name, each once, folders searched in sorted order. Raises HostError
    `file/missing`."""
    found: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(path.rglob(f"*{SUFFIX}"))
            if not inside:
                raise HostError(f"there is no *{SUFFIX} below {name}", code="file/missing")
            found.update(dict.fromkeys(inside))
        elif path.is_file():
            found[path] = None
        else:
            raise HostError(f"there is no file {name}", code="file/missing", hint=near_file(name))
    return list(found)
