"""CONTRIBUTING.md leads through the source: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.findall(
    r"`((?:rtfs|grammar|stdlib|tests|docs|benchmarks)/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text()
)


@pytest.mark.parametrize("path", sorted(set(NAMED)))
def test_what_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_folder_of_the_source_is_described() -> None:
    folders = {f"rtfs/{one.parent.name}/" for one in (ROOT / "rtfs").glob("*/__init__.py")}
    assert folders <= set(NAMED)
