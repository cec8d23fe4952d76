"""`python -m tests.conformance_mcp.run`: run the official MCP conformance suite against the plan in `client.py`.

Needs npm's registry once: Node (the suite wants 22 or later) and the suite are installed at pinned versions into
`--dir`. Each scenario runs once for each revision it applies to, one after the other. Prints a table (`--markdown` for
docs/mcp-conformance.md); exits with 1 if a check of a scenario in scope fails. Not part of the test run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance_mcp import authorizing

NODE = "22.23.3"
SUITE = "0.2.0-alpha.12"
REVISIONS = ("2025-11-25", "2026-07-28")
ROOT = Path(__file__).resolve().parent.parent.parent

OUT_OF_SCOPE = {
    **authorizing.OUT_OF_SCOPE,
}
"""What fails rightly, by (beginning of) the scenario's name, and why."""
EXTENSIONS = ("sep-2640",)
"""Beginnings of names of scenarios that are run only when named: skills as resources, an extension."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="only these; all but auth/ without one")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "rtfs-mcp-conformance")
    parser.add_argument("--auth", action="store_true", help="run the auth/ scenarios too")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show each failing check")
    options = parser.parse_args()
    suite = installed(options.dir)
    rows = []
    for name, revisions in scenarios(suite):
        if options.scenarios and name not in options.scenarios:
            continue
        if name.startswith("auth/") and not (options.auth or options.scenarios):
            continue
        if name.startswith(EXTENSIONS) and not options.scenarios:
            continue
        for revision in revisions:
            rows.append(outcome(suite, name, revision))
            show(rows[-1], options.markdown, first=len(rows) == 1)
            if options.verbose:
                for check in rows[-1]["failing"]:
                    print("     ", check["id"], "|", check.get("errorMessage") or check.get("details"))
    wrong = [row for row in rows if row["failing"] and not row["reason"]]
    checks = sum(row["passed"] + len(row["failing"]) for row in rows)
    failed, inside = (sum(len(row["failing"]) for row in some) for some in (rows, wrong))
    print(
        f"\n{len(rows)} runs, {checks} checks, {sum(row['passed'] for row in rows)} passed, {failed} failed, "
        f"of which {inside} in scope"
        f" (@modelcontextprotocol/conformance {SUITE}, node {NODE})"
    )
    return 1 if wrong else 0


def installed(folder: Path) -> list[str]:
    """The command of the suite, installed if it is not there yet."""
    folder = folder.resolve()
    modules = folder / "node_modules"
    wanted = {"node": NODE, "@modelcontextprotocol/conformance": SUITE}
    if any(_version(modules / name) != version for name, version in wanted.items()):
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is needed to install the suite once, and is not on the PATH")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        packages = [f"{name}@{version}" for name, version in wanted.items()]
        print(f"installing {' '.join(packages)} into {folder}", file=sys.stderr, flush=True)
        if subprocess.run([npm, "install", "--no-audit", "--no-fund", *packages], cwd=folder, check=False).returncode:
            raise SystemExit(f"npm could not install the suite into {folder}")
        if not (modules / "node" / "bin" / "node").exists():
            raise SystemExit("npm has not run the install script of the package node, which brings Node; allow it to")
    return [str(modules / "node" / "bin" / "node"), str(modules / "@modelcontextprotocol/conformance/dist/index.js")]


def _version(package: Path) -> str:
    """The version of an installed package, "" for none."""
    try:
        return str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


def scenarios(suite: list[str]) -> list[tuple[str, list[str]]]:
    """Every client scenario with the revisions it is run at."""
    said = subprocess.run([*suite, "list", "--client"], capture_output=True, text=True, check=True).stdout
    found: list[tuple[str, list[str]]] = []
    for name, tags in re.findall(r"^\s*- (\S+) \[(.*)\]$", said, re.MULTILINE):
        given = tags.split(",")
        found.append((name, [one for one in REVISIONS if one in given] or [""]))
    if not found:
        raise SystemExit(f"the suite lists no client scenarios; it says:\n{said[-2000:]}")
    return found


def outcome(suite: list[str], name: str, revision: str) -> dict[str, Any]:
    """Run one scenario; what its checks say."""
    client = f"{sys.executable} -m tests.conformance_mcp.client"
    with tempfile.TemporaryDirectory() as folder:
        command = [*suite, "client", "--command", client, "--scenario", name, "-o", folder, "--timeout", "30000"]
        if revision:
            command += ["--spec-version", revision]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=ROOT, env=environ, timeout=90, check=False
            )
            said = done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            said = "the suite did not come to an end within 90 seconds"
        files = list(Path(folder).rglob("checks.json"))
        checks = json.loads(files[0].read_text(encoding="utf-8")) if files else []
    if not checks:
        checks = [{"id": "ran", "status": "FAILURE", "errorMessage": said[-500:]}]
    failing = [check for check in checks if check["status"] in ("FAILURE", "WARNING")]
    passed = sum(check["status"] == "SUCCESS" for check in checks)
    reason = next((why for start, why in OUT_OF_SCOPE.items() if name.startswith(start)), "") if failing else ""
    return {"name": name, "revision": revision, "passed": passed, "failing": failing, "reason": reason}


def show(row: dict[str, Any], markdown: bool, *, first: bool) -> None:
    """Print one line of the table."""
    said = row["reason"] or ", ".join(sorted({check["id"] for check in row["failing"]}))
    fields = (row["name"], row["revision"] or "any", str(row["passed"]), str(len(row["failing"])), said)
    if markdown:
        if first:
            print("| scenario | revision | passed | failed | why |\n|---|---|---|---|---|")
        print("| " + " | ".join(fields) + " |", flush=True)
    else:
        if first:
            print(f"{'scenario':42}{'revision':12}{'passed':>7}{'failed':>7}")
        print(f"{fields[0]:42}{fields[1]:12}{fields[2]:>7}{fields[3]:>7}  {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
