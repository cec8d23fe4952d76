"""The shared conformance cases, where they are laid beside the checkout; elsewhere this file holds no tests.

Cases named in docs/divergences.md are expected to fail, each for the reason given there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUNNER = ROOT.parent / "shared" / "conformance" / "run.py"
CASES = [path for folder in ("cases", "next") for path in sorted((RUNNER.parent / folder).glob("*.jsonl"))]


def diverging() -> set[str]:
    page = (ROOT / "docs" / "divergences.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([a-z-]+-\d{3,})`", page))


if RUNNER.is_file():
    AREAS = sorted({path.stem for path in CASES})

    @pytest.mark.parametrize("area", AREAS)
    def test_every_case_of_the_area_passes_or_is_a_listed_divergence(area: str, tmp_path: Path):
        report = tmp_path / "results.json"
        command = [sys.executable, str(RUNNER), "--area", area, "--jobs", "1", "--timeout", "60", "--json", str(report)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert report.is_file(), run.stdout + run.stderr
        results = json.loads(report.read_text(encoding="utf-8"))
        failed = {case for case, result in results.items() if result["kind"] != "ok"}
        listed = diverging() & set(results)
        assert failed - listed == set(), run.stdout
        assert listed - failed == set(), "these pass although docs/divergences.md says they do not"

    def test_every_listed_divergence_names_a_case():
        known = {
            json.loads(line)["id"]
            for path in CASES
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        }
        assert diverging() - known == set()
