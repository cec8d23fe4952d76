"""`rtfs doctor`: what is set up, what is missing, and what to do about it.

Must not change anything but open and close sessions with the servers that the configuration names. Invariant: a secret
is never shown, only the name of the variable that should hold it and whether it does.
"""

from __future__ import annotations

import os
import sys

from rtfs.cli.output import write
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.inspection import Server
    from rtfs.host.runtime import Runtime

PATIENCE = 15.0
"""Seconds that a server has to answer."""

_NEEDED = ("google-re2", "greenlet", "httptools", "httpx", "lark", "pydantic", "pyyaml")
_OPTIONAL = {"prompt_toolkit": "the REPL's editor: pip install 'rtfs-host[repl]'"}


class Findings:
    """The findings, in order: (area, state, text); state is ok, note or bad. told: write each finding at once, because
    servers may be slow."""

    def __init__(self, told: bool) -> None:
        self.all: list[tuple[str, str, str]] = []
        self.told = told

    def add(self, area: str, state: str, text: str) -> None:
        from rtfs.syntax.diagnostics import clean

        text = clean(text).replace("\n", " ")
        self.all.append((area, state, text))
        if self.told:
            write(f"{state:<4} {area:<12}  {text}")
            sys.stdout.flush()

    @property
    def bad(self) -> bool:
        return any(state == "bad" for _, state, _ in self.all)


def doctor(options: Options) -> int:
    """Look at everything and say what was found; 0 if nothing is broken, else 1."""
    findings = Findings(told=not options.json)
    _versions(findings)
    _cache(findings)
    _history(findings)
    _sandbox(findings)
    runtime = _runtime(options, findings)
    if runtime is not None:
        with runtime:
            _capabilities(runtime, findings)
    _conclude(findings, options)
    return 1 if findings.bad else 0


def _conclude(findings: Findings, options: Options) -> None:
    if options.json:
        import json

        rows = [{"area": area, "state": state, "text": text} for area, state, text in findings.all]
        write(json.dumps({"fine": not findings.bad, "findings": rows}, ensure_ascii=False))
        return
    write("something is broken" if findings.bad else "all is well")


# ---------------------------------------------------------------------- this installation
def _versions(findings: Findings) -> None:
    from importlib.metadata import PackageNotFoundError, version

    import rtfs

    where = os.path.dirname(os.path.abspath(rtfs.__file__))
    findings.add("rtfs", "ok", f"{rtfs.__version__} in {where}")
    found = sys.version_info
    findings.add(
        "python", "ok" if found >= (3, 11) else "bad", f"{found[0]}.{found[1]}.{found[2]} ({sys.implementation.name})"
    )
    present, missing = [], []
    for name in _NEEDED:
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    findings.add("packages", "ok", ", ".join(present))
    if missing:
        findings.add("packages", "bad", f"missing: {', '.join(missing)}; install rtfs-host again")
    for name, purpose in _OPTIONAL.items():
        try:
            findings.add("packages", "ok", f"{name} {version(name)}")
        except PackageNotFoundError:
            findings.add("packages", "note", f"without {name}: {purpose}")


def _cache(findings: Findings) -> None:
    from rtfs.compiler.units import disk_cache

    if os.environ.get("RTFS_CACHE_DIR") == "":
        findings.add("cache", "note", "switched off (RTFS_CACHE_DIR is empty): every run compiles again")
        return
    where = disk_cache.folder()
    if where is None:
        findings.add("cache", "note", "not used: its folder is not ours alone, or cannot be made; set RTFS_CACHE_DIR")
        return
    sizes: list[int] = []
    with os.scandir(where) as entries:
        for entry in entries:
            try:
                sizes.append(entry.stat().st_size)
            except FileNotFoundError:  # another process was just writing it
                continue
    findings.add("cache", "ok", f"{where}: {len(sizes)} compiled units, {sum(sizes) // 1024} KiB")


def _sandbox(findings: Findings) -> None:
    """Report the parts of the sandbox that worker processes have here."""
    from rtfs.host.isolation.pool import WALLS, workers

    try:
        missing = workers.missing_walls()
    except UserError as error:
        findings.add("sandbox", "note", f"no worker processes: {error.message}")
        return
    held = ", ".join(name for name in WALLS if name not in missing) or "none"
    findings.add(
        "sandbox",
        "note" if missing else "ok",
        f"a worker process (--isolate) has {held}" + (f"; without {', '.join(missing)}" if missing else ""),
    )


def _history(findings: Findings) -> None:
    from rtfs.repl.history import history_path

    path = history_path()
    if not path:
        findings.add("history", "note", "switched off (RTFS_HISTORY is empty)")
    elif os.path.exists(path) and os.stat(path).st_mode & 0o077:
        findings.add("history", "note", f"{path} can be read by others; the next `rtfs repl` changes that")
    elif not _can_be_written(path):
        findings.add("history", "note", f"{path} cannot be written: inputs of the prompt are not kept")
    else:
        findings.add("history", "ok", path if os.path.exists(path) else f"{path} (none yet)")


def _can_be_written(path: str) -> bool:
    """Whether a file can be written, or made with the folders that it needs."""
    while not os.path.exists(path) and os.path.dirname(path) not in ("", path):
        path = os.path.dirname(path)
    return os.access(path if os.path.exists(path) else ".", os.W_OK)


# ---------------------------------------------------------------------- configuration, servers
def _runtime(options: Options, findings: Findings) -> Runtime | None:
    from rtfs.cli import wiring

    named = options.config is not None
    try:
        runtime = wiring.runtime(options, asks=False, told=lambda text: findings.add("config", "note", text))
    except UserError as error:
        place = f" ({error.span})" if error.span is not None else ""
        findings.add("config", "bad", f"{error.code}: {error.message}{place}")
        return None
    if options.config is not None:
        where = "" if named else " (found in this folder, and trusted)"
        findings.add("config", "ok", os.path.abspath(options.config) + where)
    else:
        findings.add("config", "ok", "no rtfs.yaml in use (the defaults: whatever leaves the process is denied)")
    for file in options.mcp_config:
        findings.add("servers", "ok", os.path.abspath(file))
    found_servers(runtime, findings)
    from rtfs.host.inspection import rights

    found = rights(runtime)
    findings.add("policy", "ok", f"level {found['level']}; grants: {' '.join(found['grants']) or 'none'}")
    return runtime


def found_servers(runtime: Runtime, findings: Findings) -> None:
    """Say of the files of servers of this folder whether they are used."""
    from rtfs.host.inspection import found_files

    found = found_files(runtime)
    if found is None:
        return
    paths, ready, names = found
    shown = ", ".join(paths)
    if ready:
        findings.add("servers", "ok", f"{shown} (found in this folder, and trusted)")
    else:
        text = f"{shown}: {', '.join(names)}; not used until trusted: rtfs mcp list --trust"
        findings.add("servers", "note", text)


def _capabilities(runtime: Runtime, findings: Findings) -> None:
    from rtfs.host.inspection import probe, servers, session_entries

    through = len(session_entries(runtime))
    findings.add("capabilities", "ok", f"{len(runtime.capabilities)}, of which {through} through sessions")

    def trouble(name: str, error: Exception) -> None:
        place = f" ({span})" if (span := getattr(error, "span", None)) is not None else ""
        off = getattr(error, "code", "") == "config/disabled"
        findings.add("server", "note" if off else "bad", f"{name}: {getattr(error, 'message', error)}{place}")

    tried: list[tuple[Server, Future[Any] | UserError]] = []
    for server in servers(runtime, trouble):
        try:
            tried.append((server, probe(runtime, server, PATIENCE)))
        except UserError as error:
            tried.append((server, error))
    for server, trying in tried:
        _server(server, trying, findings)


def _server(server: Server, trying: Future[Any] | UserError, findings: Findings) -> None:
    name = f"{server.provider} {server.label}"
    count = len(server.entries)
    uses = f"{count} capabilit{'y' if count == 1 else 'ies'}" if count else "none of its tools is declared"
    code = ""
    try:
        if isinstance(trying, UserError):
            raise trying
        session = trying.result()
        findings.add("server", "ok", f"{name}: reachable, {_era(session)}; {uses}")
    except UserError as error:
        code = error.code
        hint = f"; {error.hint}" if error.hint else ""
        findings.add("server", "bad", f"{name}: {code}: {error.message}{hint}; {uses}")
    if server.login is not None:
        findings.add("login", "note" if server.login == "over" else "ok", f"{name}: {server.login or 'logged in'}")
    held = next((variable for variable, is_set in server.credentials if is_set), None)
    if held is not None:
        findings.add("credential", "ok", f"{name}: {held} is set")
    elif len(server.credentials) == 1 or (server.credentials and code == "session/unauthorized"):
        wanted = " or ".join(variable for variable, _ in server.credentials)
        findings.add("credential", "note", f"{name}: {wanted} is not set" + ("" if code else ", nor asked for"))


def _era(session: Any) -> str:
    version = getattr(session, "version", None)
    sessionless = getattr(session, "sessionless", None)
    if version is None or sessionless is None:
        return str(session.label)
    return f"{'sessionless' if sessionless else 'handshake'} era, revision {version}"
