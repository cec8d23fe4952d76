"""What an editor waits for in a file of 1,000 lines: each answer of the language service, with the analysis that a
change needs. Processor time, so that other programs do not count; p95 of 40 changes. The goal is that of the design."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import rtfs
from benchmarks.measure import Row
from rtfs.cli.lsp import settle
from rtfs.cli.lsp_server import encoded
from rtfs.compiler.definitions import Sources
from rtfs.host.language_service import completion, navigation, signatures
from rtfs.host.language_service.document import Document

GROUP = "editing"
GOAL = 100.0
CHANGES = 40
ISSUES = (
    '(capability "test.issues" :provider :x :output-schema :any '
    ':input-schema [:map [:owner :string] [:state [:enum "open" "closed"] ?]])'
)


def text() -> str:
    """A thousand lines of functions."""
    return "\n".join(
        f'(defn step-{n} [order limit]\n  (let [total (* {n} (count order))\n        label (str "step " total)]\n'
        f'    (when (> total limit)\n      (println label)\n      (call "test.issues" {{:owner label}}))\n'
        f"    {{:total total :label label}}))\n"
        for n in range(125)
    )


def answers(document: Document) -> dict[str, Callable[[], object]]:
    """What an editor asks after a change, near the end of the text."""
    whole = document.source.text
    place, key = whole.rindex("total limit") + 3, whole.rindex("{:owner") + 3
    return {
        "diagnostics": lambda: document.analysis.diagnostics,
        "hover": lambda: document.hover(place),
        "completion of a name": lambda: completion.completions(document, place),
        "completion of a key": lambda: completion.completions(document, key),
        "signature": lambda: signatures.signature(document, key),
        "definition": lambda: navigation.definition(document, place),
        "semantic tokens": lambda: encoded(document),
    }


def run() -> Iterator[Row]:
    whole = text()
    took: dict[str, list[float]] = {}
    with rtfs.Runtime() as runtime:
        runtime.load(ISSUES, "issues.rtfs")
        settle(runtime)
        definitions = Sources()
        for n in range(CHANGES):
            document = Document(runtime, rtfs.Source(f"{whole};{n}\n", "plan.rtfs"), definitions)
            for name, ask in answers(document).items():
                started = time.process_time()
                ask()
                took.setdefault(name, []).append(1000 * (time.process_time() - started))
    lines = whole.count("\n") + 1
    for name, found in took.items():
        p95 = statistics.quantiles(found, n=20)[-1]
        yield Row(GROUP, f"{name}, {lines} lines, p95", p95, "ms", goal=GOAL)
