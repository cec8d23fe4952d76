"""The card is one page, and what the command and the function give; test_guide.py runs its examples."""

from __future__ import annotations

import pytest

import rtfs
from rtfs.cli.main import main
from tests.docs.pages import ROOT

CARD = ROOT / "docs" / "card.md"
LINES = 60


def test_the_card_is_one_page():
    text = CARD.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES
    assert max(map(len, text.splitlines())) <= 130


def test_the_function_gives_the_page():
    assert rtfs.card() == CARD.read_text(encoding="utf-8")


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]):
    assert main(["card"]) == 0
    assert capsys.readouterr().out == rtfs.card()
