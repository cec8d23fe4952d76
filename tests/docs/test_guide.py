"""Every example of README.md and of the pages under docs/ does what the page says.

Two kinds of pages have tests of their own: the error codes (test_error_pages.py), the reference (test_reference.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page, blocks, fits

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "guide").glob("*.md")),
]
TALK = {
    "benchmarks.md",
    *("README.md", "clojure.md", "decisions.md", "divergences.md", "mcp-conformance.md", "reference.md", "servers.md"),
}
"""Pages that need have no examples, or have them tested elsewhere."""
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "reference.md"], ids=name)
def test_the_examples_of_a_page_do_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Page(page, tmp_path).run()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


def test_the_pages_have_examples() -> None:
    assert [page.name for page in PAGES if page.name not in TALK and not list(blocks(page))] == []


@pytest.mark.parametrize(
    ("wanted", "found", "fit"),
    [
        ("a\nb", "a\nb\n", True),
        ("a …\n…", "a x\nb\nc\n", True),
        ("…", "", True),
        ("a", "a\nb\n", False),
        ("a", "ab\n", False),
        ("", "", True),
    ],
)
def test_outputs_are_compared_line_by_line(wanted: str, found: str, fit: bool) -> None:
    assert fits(wanted, found) is fit
