"""Runs what a page of the documentation shows, block by block, in the order of the page.

What a block is, its fence says:

    ```clojure             a program with golden expectations (`;=>` …), in a fresh runtime
    ```clojure file=NAME   (or any language) a file that later blocks use
    ```console             `$ command` lines and what they print; `…` matches any text, alone any lines
    ```repl                `rtfs> ` inputs (`    | ` further lines) and what they print; one session a page
    ```python              a program; the blocks of a page share their names
    ```text                what the python block above it prints
    ```yaml                a configuration, which is checked
    ```toml  ```json       data, which is read
    ```sh                  how to install: not run
    ```picture             nothing to run
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml

import rtfs
from rtfs.host.config.config import Settings
from rtfs.repl.session import Session
from rtfs.testing.golden import parse
from rtfs.testing.runner import run_chunk

ROOT = Path(__file__).resolve().parent.parent.parent
_FENCE = re.compile(r"^```(\S+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLING = re.compile(r"(?:pip install|python3 -m venv|source|\.venv/bin/|\.ci/run).*")


@dataclass
class Block:
    """A fenced block. line: of its fence. file: its name, or ""."""

    language: str
    file: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert fences.count("```") * 2 == len(fences), "a fence says what is in it"
    for found in _FENCE.finditer(text):
        yield Block(found[1], found[2] or "", found[3], text.count("\n", 0, found.start()) + 1)


@dataclass
class Page:
    """A page being run in an empty folder, which is the current one."""

    path: Path
    folder: Path
    names: dict[str, Any] = field(default_factory=dict)
    session: Session | None = None
    printed: str = ""

    def run(self) -> None:
        """Run every block. Raises AssertionError with the place of the block that does not do what it says."""
        try:
            for block in blocks(self.path):
                try:
                    self._block(block)
                except AssertionError as error:
                    raise AssertionError(f"{self.path.name}:{block.line}: {error}") from error
        finally:
            if self.session is not None:
                self.session.runtime.close()

    def _block(self, block: Block) -> None:
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            return
        run = getattr(self, f"_{block.language}", None)
        assert run is not None, f"there is no way to run a {block.language} block"
        run(block.text)

    # ------------------------------------------------------------------ kinds of blocks
    def _clojure(self, text: str) -> None:
        golden = parse(text, str(self.folder / "example.test.rtfs"))
        problems = [problem for chunk in golden.chunks for problem in run_chunk(golden, chunk).problems]
        assert not problems, "\n".join(problem.text for problem in problems)

    def _console(self, text: str) -> None:
        commands: list[tuple[str, list[str]]] = []
        for line in text.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                assert commands, "a console block begins with a command: $ …"
                commands[-1][1].append(line)
        for command, wanted in commands:
            found = subprocess.run(
                ["sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=self._environment(),
                cwd=self.folder,
            )
            assert fits("\n".join(wanted), found.stdout), f"$ {command}\n{found.stdout}"

    def _repl(self, text: str) -> None:
        if self.session is None:
            self.session = Session(rtfs.Runtime(wording="shell"), interactive=True)
            self.session.settings.width = 100
        typed: list[str] = []
        wanted: list[str] = []
        for line in [*text.splitlines(), "rtfs> "]:
            if line.startswith("rtfs> "):
                if typed:
                    self._input("\n".join(typed), wanted)
                typed, wanted = [line[6:]], []
            elif line.startswith("    | ") and not wanted:
                typed.append(line[6:])
            else:
                wanted.append(line)

    def _input(self, text: str, wanted: list[str]) -> None:
        assert self.session is not None
        assert self.session.is_complete(text), f"the input is not whole: {text}"
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            self.session.feed(text)
        assert fits("\n".join(wanted), said.getvalue()), f"rtfs> {text}\n{said.getvalue()}"

    def _python(self, text: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(text, str(self.path), "exec"), self.names)
        self.printed = printed.getvalue()

    def _text(self, text: str) -> None:
        assert fits(text, self.printed), self.printed

    def _yaml(self, text: str) -> None:
        Settings.model_validate(yaml.safe_load(text))

    def _toml(self, text: str) -> None:
        tomllib.loads(text)

    def _json(self, text: str) -> None:
        json.loads(text)

    def _picture(self, text: str) -> None:
        assert max(map(len, text.splitlines())) <= 100, "a picture fits a page"

    def _sh(self, text: str) -> None:
        for line in text.splitlines():
            assert INSTALLING.fullmatch(line), f"only installing is in a sh block: {line}"

    def _environment(self) -> dict[str, str]:
        """An environment whose `rtfs` and `python` are those under test."""
        shims = self.folder / ".bin"
        if not shims.exists():
            shims.mkdir()
            (self.folder / "examples").symlink_to(ROOT / "examples")
            for name, what in (("rtfs", "-m rtfs "), ("python", "")):
                (shims / name).write_text(f'#!/bin/sh\nexec {sys.executable} {what}"$@"\n')
                (shims / name).chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTFS", "MCP"))}
        paths = {"PATH": f"{shims}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(ROOT)}
        plugin = {} if entry_points(group="pytest11", name="rtfs") else {"PYTEST_PLUGINS": "rtfs.testing.pytest_plugin"}
        return {**kept, **paths, **plugin, "RTFS_HISTORY": ""}


def fits(wanted: str, found: str) -> bool:
    """Whether an output is as a page shows it: line by line, `…` for any text, a line of `…` for any lines."""
    parts = []
    for line in wanted.rstrip("\n").split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ \t]*\n")
    return re.fullmatch("".join(parts), found.rstrip("\n") + "\n") is not None
