"""The REPL in a tmux pane: what a person would type, and what they would see."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from threading import Event
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0
"""Seconds before a screen that never comes is a failure."""


class Pane:
    """A context manager: `program` (Python text) runs in a pane of its own tmux server; the pane outlives it."""

    def __init__(self, folder: Path, program: str, **environment: str) -> None:
        self.folder = folder
        self.name = f"rtfs-test-{uuid.uuid4().hex[:12]}"
        script = folder / "prompt.py"
        script.write_text(program, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTFS", "TMUX", "NO_COLOR"))}
        kept |= {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state"), "LC_ALL": "C.UTF-8", **environment}
        self._environment = {**kept, "TERM": "xterm-256color"}
        self._set = [f"{name}={value}" for name, value in environment.items()]
        self._command = f"exec {sys.executable} {script}"

    def __enter__(self) -> Pane:
        start = ["new-session", "-d", "-x", "100", "-y", "40", "env", *self._set, "sh", "-c", self._command]
        self.tmux("-f", "/dev/null", "set-option", "-g", "remain-on-exit", "on", ";", *start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False)

    def tmux(self, *arguments: str) -> str:
        found = subprocess.run(
            ["tmux", "-L", self.name, *arguments], capture_output=True, text=True, check=True, env=self._environment
        )
        return found.stdout

    def type(self, text: str) -> None:
        """Type text, letter by letter as tmux does."""
        self.tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Tab, C-c, Up …"""
        self.tmux("send-keys", *keys)

    def enter(self, text: str) -> None:
        """Type a line and Enter."""
        self.type(text)
        self.press("Enter")

    def screen(self, *options: str) -> str:
        """What the pane shows."""
        return self.tmux("capture-pane", "-p", *options)

    def wait(self, *texts: str, gone: str = "") -> str:
        """The screen, once all the texts are on it and `gone` is not."""
        tick = Event()
        for _ in range(int(PATIENCE / 0.05)):
            screen = self.screen()
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
            tick.wait(0.05)
        raise AssertionError(f"waited for {texts}, without {gone!r}; the screen is\n{self.screen()}")
