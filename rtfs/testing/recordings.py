"""Recordings of golden files: where they are, and how one is made again.

Must not know what is expected of a run. Invariant: a recording is replaced whole, and only by one that may be kept.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from rtfs.testing.golden import Chunk, GoldenFile


def recording_path(file: GoldenFile, chunk: Chunk) -> Path | None:
    """The recording that a chunk names, beside its file."""
    return None if chunk.recording is None else Path(file.name).parent / chunk.recording


class NewRecording:
    """A recording that is being made. path: where the run writes it; `keep` puts it in the place of the old one,
    `discard` leaves that as it was. Raises OSError where nothing can be written."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.parent.mkdir(parents=True, exist_ok=True)
        number, self.path = tempfile.mkstemp(dir=place.parent, prefix=".recording-")
        os.close(number)

    def text(self) -> str:
        """The recorded text."""
        return Path(self.path).read_text(encoding="utf-8")

    def keep(self) -> None:
        os.replace(self.path, self.place)

    def discard(self) -> None:
        os.unlink(self.path)
