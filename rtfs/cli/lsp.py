"""`rtfs lsp`: a language server on standard input and output, made with pygls (extra `lsp`).

Must not know how texts are analysed. Invariant: positions are the protocol's (3.17): lines from 0, columns in UTF-16
units.
"""

from __future__ import annotations

import os

from rtfs.compiler.definitions import Sources
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.cli.options import Options
    from rtfs.host.language_service.document import Document
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source, Span

REFRESH = "rtfs.refresh"
"""The command that reads the workspace's configuration and declarations again."""
MOST_FILES = 400
"""Files of a workspace that are searched for uses of a name."""


def lsp(options: Options) -> int:
    """Serve until the editor ends. Raises HostError `config/missing` without pygls."""
    try:
        import pygls.lsp.server  # noqa: F401
    except ImportError:
        raise HostError(
            "the language server needs the package `pygls`", code="config/missing", hint="pip install 'rtfs-host[lsp]'"
        ) from None
    import gc

    from rtfs.cli.lsp_server import make_server

    gc.set_threshold(50_000, 20, 1_000)  # an analysis leaves no cycles behind
    workspace = Workspace(options)
    try:
        make_server(workspace).start_io()
    finally:
        workspace.close()
    return 0


class Workspace:
    """The folder that an editor has open: its configuration, declarations and documents.

    options: of the command line. A configuration that is wrong is told once, and left out.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.told: list[str] = []
        """Remarks for the person, not yet shown."""
        self._runtime: Runtime | None = None
        self._documents: dict[str, Document] = {}
        self._definitions = Sources()

    @property
    def runtime(self) -> Runtime:
        if self._runtime is None:
            from copy import copy

            from rtfs.cli import wiring

            options = copy(self.options)
            options.mcp_config = list(self.options.mcp_config)
            warn = self.told.append
            try:
                self._runtime = wiring.runtime(
                    options, asks=False, told=warn, on_warning=lambda message, span: warn(message)
                )
            except UserError as error:
                from rtfs.host.runtime import Runtime

                warn(f"the configuration is not used: {error.message}")
                self._runtime = Runtime()
            settle(self._runtime)
        return self._runtime

    def enter(self, folder: str) -> None:
        """Work in a folder from now on: what it configures is used, once it is trusted."""
        if os.path.isdir(folder):
            os.chdir(folder)
        self.refresh()

    def refresh(self) -> None:
        """Read the configuration and the declarations again."""
        self.close()
        self._documents.clear()
        self._definitions = Sources()

    def close(self) -> None:
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None

    def document(self, path: str, text: str) -> Document:
        """The document of a file with the text that the editor has of it."""
        from rtfs.host.language_service.document import Document
        from rtfs.source import Source

        known = self._documents.get(path)
        if known is None or known.source.text != text:
            known = self._documents[path] = Document(self.runtime, Source(text, path), self._definitions)
        return known

    def forget(self, path: str) -> None:
        """A file is no longer open, or other files have changed that its analysis knows of."""
        self._documents.pop(path, None)

    def others(self, path: str, name: str) -> Iterator[Document]:
        """The files of the folder that mention a name, but for one."""
        from rtfs.cli.check import program_files
        from rtfs.host.files import read_source

        for file in program_files(".")[:MOST_FILES]:
            full = os.path.realpath(file)
            if full == os.path.realpath(path):
                continue
            try:
                source: Source = read_source(full)
            except UserError:
                continue
            if name in source.text:
                yield self._documents.get(full) or self.document(full, source.text)

    def uses(self, document: Document, offset: int) -> list[Span]:
        """Every place of the document and of the folder's other files that names what is defined at top level under
        the name at a place."""
        from rtfs.host.language_service.navigation import definition, name_within, references, uses_of

        own = references(document, offset)
        if own:
            name = own[0].text
            file = document.source.name
        else:
            span = definition(document, offset)
            if span is None or span.source.name == document.source.name:
                return []
            name, file = document.name(offset).rpartition("/")[2], span.source.name
            home = self.document(os.path.realpath(file), span.source.text)
            own = [*references(home, name_within(span, name)), *uses_of(document, file, name)]
        found = list(own)
        for other in self.others(file, name):
            if other.source.name != document.source.name:
                found += uses_of(other, file, name)
        return found


def settle(runtime: Runtime) -> None:
    """Load what every answer needs, and let the garbage collector pass over it from now on: going through all of it
    would hold up one answer in twenty by as long as an analysis takes."""
    import gc

    import rtfs

    rtfs.analyse("(defn f [x] (when x (map inc [x])))", runtime=runtime)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""Units of columns that a client can choose: the codec, and bytes a unit."""


def position(source: Source, at: int, encoding: str = "utf-16") -> tuple[int, int]:
    """Line and column of an offset, both from 0."""
    line, column = source.position(at)
    before = source.text[at - column + 1 : at]
    return line - 1, column - 1 if before.isascii() else units(before, encoding)


def units(text: str, encoding: str) -> int:
    """The number of column units that a text takes."""
    codec, size = CODECS[encoding]
    return len(text.encode(codec, "surrogatepass")) // size


def offset(source: Source, line: int, column: int, encoding: str = "utf-16") -> int:
    """The offset of a line and a column."""
    start = source.start(line + 1)
    text = source.text[start : start + len(source.line(line + 1))]
    if text.isascii():
        return start + min(column, len(text))
    codec, size = CODECS[encoding]
    return start + len(text.encode(codec, "surrogatepass")[: size * column].decode(codec, "ignore"))
