"""`python -m tests.conformance_mcp.server`: run the official MCP conformance suite's server scenarios against
`rtfs mcp serve --http`.

The server has code mode and plan files under the names of the suite's reference tools, as far as a plan can be such a
tool. What the suite wants of other reference tools, resources or prompts is out of scope, with the reason. Options and
exit code are those of `run.py`; it needs npm once.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance_mcp.run import REVISIONS, installed, show
from tests.serve.test_http import listening

PLANS = {
    "test_simple_text": '(plan "test_simple_text" "A text" {:result :string} '
    '"This is a simple text response for testing.")',
    "test_error_handling": '(plan "test_error_handling" "Fails" {} (first (throw {:message "as meant"})))',
    "test_tool_with_progress": '(plan "test_tool_with_progress" "Takes its time" {}'
    ' (doseq [n (range 3)] (call "ccos.system.sleep-ms" 50)))',
}
"""Plan files by the names of the suite's reference tools."""
_TOOL = "wants a reference tool that no plan can be: its answer is media, or a form of its own"
_NO = "not offered: "
OUT_OF_SCOPE = {
    "completion": _NO + "completion",
    "prompts-": _NO + "prompts",
    "logging-set-level": _NO + "log messages (the ledger and `--log-format json` have them)",
    "resources-read": "the only resource is the language card; the suite wants its own",
    "resources-templates": _NO + "templates of resources",
    "resources-subscribe": "the card does not change",
    "resources-unsubscribe": "the card does not change",
    "caching": "prompts and templates of resources are not offered; the rest passes",
    "tools-call-": _TOOL,
    "elicitation-": _TOOL,
    "json-schema-2020-12": _TOOL,
    "http-custom-header": "no tool has x-mcp-header annotations",
    "input-required-result-": _TOOL,
    "server-stateless": "wants diagnostic tools; the rest passes",
    "server-sse-polling": "warnings: streams cannot be taken up again, which is optional",
}
"""What fails rightly, by the beginning of the scenario's name, and why."""
_ONLY = {
    "server-stateless": ("Not testable", "tools/list_changed"),
    "caching": ("prompts/list", "resources/templates/list"),
    "input-required-result-": ("no tool", "Method not found", "Prerequisite", "Expected InputRequired", "re-request"),
}
"""What those failures say, where only some of a scenario's checks may fail."""


def outcome(suite: list[str], name: str, revision: str, url: str) -> dict[str, Any]:
    """Run one scenario; what its checks say."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*suite, "server", "--url", url, "--scenario", name, "--spec-version", revision, "-o", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        files = list(Path(folder).rglob("checks.json"))
        checks = json.loads(files[0].read_text(encoding="utf-8")) if files else []
    if not checks:
        checks = [{"id": "ran", "status": "FAILURE", "errorMessage": (done.stdout + done.stderr)[-500:]}]
    failing = [check for check in checks if check["status"] in ("FAILURE", "WARNING")]
    passed = sum(check["status"] == "SUCCESS" for check in checks)
    reason = next((why for start, why in OUT_OF_SCOPE.items() if name.startswith(start)), "") if failing else ""
    allowed = next((texts for start, texts in _ONLY.items() if name.startswith(start)), None)
    if allowed and any(not any(text in str(check.get("errorMessage")) for text in allowed) for check in failing):
        reason = ""
    return {"name": name, "revision": revision, "passed": passed, "failing": failing, "reason": reason}


def scenarios(suite: list[str]) -> list[tuple[str, list[str]]]:
    """Every server scenario with the revisions it is run at; no extensions."""
    said = subprocess.run([*suite, "list", "--server"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^\s*- (\S+) \[(.*)\]$", said, re.MULTILINE)
    assert listed, said
    return [(name, [one for one in REVISIONS if one in tags.split(",")]) for name, tags in listed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="only these")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "rtfs-mcp-conformance")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show each failing check")
    options = parser.parse_args()
    suite = installed(options.dir)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in PLANS.items():
            (folder / f"{name}.rtfs").write_text(text, encoding="utf-8")
        with listening(folder, *(f"{name}.rtfs" for name in PLANS), "--code", "--no-isolate") as url:
            for name, revisions in scenarios(suite):
                if options.scenarios and name not in options.scenarios:
                    continue
                for revision in revisions:
                    rows.append(outcome(suite, name, revision, url))
                    show(rows[-1], options.markdown, first=len(rows) == 1)
                    if options.verbose:
                        for check in rows[-1]["failing"]:
                            print("     ", check["id"], "|", check.get("errorMessage") or check.get("details"))
    wrong = [row for row in rows if row["failing"] and not row["reason"]]
    passed = sum(row["passed"] for row in rows)
    checks = passed + sum(len(row["failing"]) for row in rows)
    print(f"\n{len(rows)} runs, {checks} checks, {passed} passed; {len(wrong)} runs with failures in scope")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
