"""Modules from files: finding, compiling once, and telling an environment what a unit says about modules.

Knows nothing of running. Invariant: the facts of a unit are told the same way when it is compiled and when it comes
from the cache, by `apply_declaration`.
"""

from __future__ import annotations

import os

from rtfs.compiler.units.constants import decode
from rtfs.compiler.units.digest import hasher
from rtfs.source import Source
from rtfs.types import Alias, parse_type
from rtfs.values.error import CompileError, ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from rtfs.compiler.environment import Environment
    from rtfs.compiler.units.unit import Unit

    class Folders(Protocol):
        """An environment, as far as finding a file needs it."""

        path: tuple[str, ...]
        finder: Any


def find_file(name: str, environment: Folders, source: Source) -> str | None:
    """Path of the file of a module: beside the importing file, then on the environment's path."""
    if environment.finder is not None:
        found: str | None = environment.finder.find(name, source)
        return found
    relative = name.replace(".", "/") + ".rtfs"
    beside = os.path.dirname(source.name)
    # a file that an editor has not saved yet has a path, too
    written = os.path.isfile(source.name) or (os.path.isabs(source.name) and os.path.isdir(beside))
    folders = [beside or "."] if written else []
    for folder in [*folders, *environment.path]:
        path = os.path.join(folder, *relative.split("/"))
        if os.path.isfile(path):
            return path
    return None


def read_file(path: str) -> str:
    """Text of a source file. Raises `reader/encoding` or `module/unreadable`."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise CompileError("module/unreadable", f"cannot read {path}: {error.strerror}") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReaderError(
            "reader/encoding", f"{path} is not UTF-8: byte {error.start} is {content[error.start]:#04x}"
        ) from None


def require(name: str, environment: Environment, source: Source, unit: Unit) -> None:
    """Make a module known: it is there, or its file is compiled. Raises module/cycle, module/not-found."""
    if name in environment.importing:
        circle = [*environment.importing[environment.importing.index(name) :], name]
        raise CompileError("module/cycle", "modules import each other in a circle: " + " → ".join(circle))
    known = environment.modules.get(name)
    if known is not None and known.declared:
        file = environment.files.get(name)
        if file is not None:
            unit.depends.append((name, file.source.name, digest(file)))
        return
    path = find_file(name, environment, source)
    if path is None:
        raise CompileError(
            "module/not-found",
            f"there is no module `{name}`",
            hint=_where_it_was_looked_for(name),
        )
    text = read_file(path) if environment.finder is None else environment.finder.read(path)
    from rtfs.compiler.compile import compile_source

    environment.importing.append(name)
    try:
        program = compile_source(Source(text, path), environment, f"{name} file")
    finally:
        environment.importing.pop()
    known = environment.modules.get(name)
    if known is None or not known.declared:
        raise CompileError(
            "module/not-found", f"{path} defines no module `{name}`", hint=f"it should hold (module {name} …)"
        )
    environment.files[name] = program.unit
    unit.depends.append((name, path, digest(program.unit)))


def _where_it_was_looked_for(name: str) -> str:
    from rtfs.builtins import clojure as namespaces
    from rtfs.syntax.foreign_names import module_hint

    hint = module_hint(name)
    if hint is not None:
        return hint
    file = f"looked for {name.replace('.', '/')}.rtfs beside the file and on the module path"
    if name.startswith("clojure.") or "." not in name:
        return f"built in are {', '.join(sorted(namespaces.NAMESPACES))}; {file}"
    return file


def digest(unit: Unit) -> bytes:
    """A digest of a unit's sources: its text, and those of the files that it imports."""
    made = hasher(unit.source.text.encode("utf-8", "surrogatepass"))
    for _, _, imported in unit.depends:
        made.update(imported)
    return bytes(made.digest())


def depends_hold(unit: Unit, environment: Environment, source: Source) -> bool:
    """Make known the modules a cached unit imports; False if a file is not what it was."""
    for name, path, wanted in list(unit.depends):
        if find_file(name, environment, source) != path and name not in environment.files:
            return False
        probe = type(unit)(source, unit.filename)
        require(name, environment, source, probe)
        if not probe.depends or probe.depends[0][2] != wanted:
            return False
    return True


def replay(unit: Unit, environment: Environment) -> None:
    """Tell the environment everything a cached unit says about modules."""
    for fact in unit.facts:
        apply_declaration(fact, environment)


def apply_declaration(fact: tuple[Any, ...], environment: Environment) -> None:
    """One fact: ("module", name, exports), ("alias", importer, alias, target), ("refer", importer, target, ((name
    there, name here), …)), ("builtins", importer, ((name here, full name), …)), ("export", module,
    names), ("private", module, name), ("type", module, name, encoded form)."""
    kind = fact[0]
    if kind == "module":
        module = environment.module(fact[1])
        module.declared = True
        module.exports = list(fact[2]) if fact[2] is not None else None
    elif kind == "alias":
        environment.module(fact[1]).aliases[fact[2]] = fact[3]
    elif kind == "export":
        module = environment.module(fact[1])
        module.exports = [*(module.exports or ()), *fact[2]]
    elif kind == "builtins":
        environment.module(fact[1]).builtin_names.update(fact[2])
    elif kind == "private":
        environment.module(fact[1]).private.add(fact[2])
    elif kind == "refer":
        _refer(environment, fact[1], fact[2], fact[3])
    else:
        module = environment.module(fact[1])
        alias = module.types[fact[2]] = Alias(fact[2])
        alias.bind(parse_type(decode(fact[3]), environment.resolve_type(module), module.types))


def _refer(environment: Environment, importer: str, target: str, names: tuple[tuple[str, str], ...]) -> None:
    here, there = environment.module(importer), environment.module(target)
    for name, local in names:
        if name in there.macros:
            here.macros[local] = there.macros[name]
        elif name in there.types and name not in there.defined:
            here.types[local] = there.types[name]
        else:
            here.define(local)
            here.referred[local] = (target, name)
            if name in there.types:
                here.types[local] = there.types[name]
