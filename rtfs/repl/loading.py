"""Files in a session: loading them, and loading them again after changes on disk.

Invariant: after a reload that fails, what was defined and declared before is there still.
"""

from __future__ import annotations

import os

from rtfs.host import inspection
from rtfs.host.files import read_sources
from rtfs.repl.names import USER
from rtfs.source import Source
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.repl.session import Session


def load_file(session: Session, path: str) -> None:
    """Run a file, or all of a folder. Where a person types it is trusted as with `--load`; out of a pipe it is a plan
    like the rest.

    Raises UserError.
    """
    name = os.path.expanduser(path)
    for source in read_sources(name):
        _run_source(session, source)
    if name not in session.files:
        session.files.append(name)
    session.note(f"loaded {name}")


def _run_source(session: Session, source: Source) -> None:
    runtime = session.runtime
    if session.interactive:
        session.perform(lambda: runtime.load(source.text, source.name))
    else:
        session.perform(lambda: runtime.run(source, check=False))


def reload_all(session: Session) -> None:
    """Load the session's files again, and import changed modules again. Raises the first UserError; the files after it
    are not loaded."""
    modules = _changed_modules(session)
    if modules:
        _import_again(session, modules)
        session.note("imported again: " + ", ".join(modules))
    for name in session.files:
        dropped: dict[str, Any] = {}
        for source in read_sources(name):
            dropped |= inspection.forget(session.runtime, source.name)
        try:
            load_file(session, name)
        finally:
            inspection.restore(session.runtime, dropped)
    if not modules and not session.files:
        session.note("nothing to load again: no file was loaded, no imported module has changed")


def _changed_modules(session: Session) -> list[str]:
    """The imported modules that are no longer as their files are; all of them if any is, for they may use each
    other."""
    files = session.runtime.environment.files
    for unit in files.values():
        try:
            with open(unit.source.name, encoding="utf-8") as file:
                changed = file.read() != unit.source.text
        except (OSError, UnicodeDecodeError):
            changed = True
        if changed:
            return list(files)
    return []


def _import_again(session: Session, names: list[str]) -> None:
    """Forget modules and import them as they were imported before. Raises UserError, and then changes nothing."""
    environment = session.runtime.environment
    user = environment.module(USER)
    kept = {name: (environment.modules.get(name), environment.files[name]) for name in names}
    before = {name: module.globals for name, (module, _) in kept.items() if module is not None}
    statements = [f"(import {target} :as {alias})" for alias, target in user.aliases.items() if target in kept]
    for target, old in before.items():
        only = [name for name in user.defined if name in old and _same(user.globals.get(name), old[name])]
        if only:
            statements.append(f"(import {target} :as {target} :only [{' '.join(sorted(only))}])")
    for name in names:
        environment.modules.pop(name, None)
        environment.files.pop(name, None)
    try:
        source = Source("\n".join(statements), session.source("").name)
        session.perform(lambda: session.runtime.run(source, check=False))
    except UserError:
        for name, (module, unit) in kept.items():
            if module is not None:
                environment.modules[name] = module
            environment.files[name] = unit
        raise


def _same(value: Any, other: Any) -> bool:
    """Whether a name still means what the module gave it."""
    return value is other and callable(value)
