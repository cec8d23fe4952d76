"""The command at a pseudo-terminal: what a person would see, and what they type."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0
MAIN = "import sys; from rtfs.cli.main import main; sys.exit(main())"


class Typist:
    """A context manager: `python -m rtfs.cli ARGUMENTS` with a terminal as its standard input, output and error.
    folder: to work in."""

    def __init__(self, *arguments: str, folder: Path | None = None, **environment: str) -> None:
        self._folder = folder
        self._command = [sys.executable, "-c", MAIN, *arguments]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RTFS", "NO_COLOR"))}
        self._environment = {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}
        self.shown = ""

    def __enter__(self) -> Typist:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            self._command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environment,
            cwd=self._folder,
            start_new_session=True,
        )
        os.close(slave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def wait(self, text: str) -> str:
        """What was shown until now, once the text is in what came since the last wait."""
        begun = len(self.shown)
        until = time.monotonic() + PATIENCE
        while text not in self.shown[begun:]:
            if time.monotonic() > until or not self._read():
                raise AssertionError(f"waited for {text!r}; shown was\n{self.shown}")
        return self.shown

    def type(self, text: str) -> None:
        """Type text; `\\n` is Enter, `\\x04` Ctrl-D."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """The exit code, once the command has ended; everything it showed is in `shown`."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], PATIENCE)
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # the other side is closed
            data = b""
        self.shown += data.decode("utf-8", "replace")
        return bool(data)
