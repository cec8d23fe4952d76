"""`rtfs test PATH… [--update] [--allow GRANT]`: runs golden files and prints what differs.

Must not know how a chunk is run. Exit status: 0 all passed, 1 a failure; nothing to run is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtfs.cli.usage import Parser
from rtfs.host.files import near_file
from rtfs.testing.golden import Chunk, GoldenFile, Problem, parse
from rtfs.testing.results import Result, report
from rtfs.testing.runner import Edit, apply_edits, run_chunk
from rtfs.values import HostError

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
    parser.add_argument("--accept-errors", action="store_true", help="with --update: errors too, in place of values")
    parser.add_argument("--allow", action="append", default=[], metavar="GRANT", help="grant, as in rtfs run")
    parser.add_argument("--config", metavar="FILE", help="configuration, whose declarations stubs have to fit")
    parser.add_argument(
        "--load", action="append", default=[], metavar="FILE", help="declarations that stubs have to fit"
    )
    parser.add_argument("-k", dest="only", default="", metavar="TEXT", help="only chunks whose name or file has TEXT")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every chunk")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit's XML")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    results: list[Result] = []
    updated = 0
    for path in _found(options.paths):
        file = load(path)
        edits: list[Edit] = []
        if file.problems:
            results.append(Result(file.name, "the file", 1, [show(file, None, problem) for problem in file.problems]))
        for chunk in file.chunks:
            if options.only.lower() not in f"{file.name} {chunk.name}".lower():
                continue
            outcome = run_chunk(
                file,
                chunk,
                allow=options.allow,
                update=options.update,
                accept_errors=options.accept_errors,
                config=options.config,
                load=options.load,
            )
            edits += outcome.edits
            problems = [show(file, chunk, problem) for problem in outcome.problems]
            results.append(Result(file.name, chunk.name, chunk.line, problems))
        if edits:
            write(file, edits)
            updated += len(edits)
    return report(results, updated, as_json=options.json, junit=options.junit, verbose=options.verbose)


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
