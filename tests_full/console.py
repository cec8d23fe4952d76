"""The console in headless Chromium: `python -m tests_full.console [--shots FOLDER]`.

Starts `rtfs console --answer` at a terminal and has `console.mjs` use it: a run that appears live, an approval for the
rest of the run, a refusal with its reason, every page looked at by axe-core in both colour schemes at 400 and 1,280 px.
Installs playwright-core and axe-core of npm; Chromium is Debian's (`chromium`, or RTFS_CHROMIUM).
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

from tests.cli.typing_at import ROOT, Typist
from tests_full.environments import FOLDER, npm_package

PACKAGES = ("playwright-core", "axe-core")
FILES = {
    "rtfs.yaml": """load: [caps.rtfs]
ledger: ledger.db
policy:
  rules:
    - {match: shop.cancel, decide: approve, reason: it cannot be undone, for_run: true}
""",
    "caps.rtfs": """(capability "shop.cancel" :description "Cancel an order" :input-schema {:id :int}
  :implementation (fn [i] (str "cancelled " (:id i))))
(capability "shop.list" :description "Open orders" :implementation (fn [i] [{:id 7 :item "lamp"} {:id 8 :item "desk"}]))
""",
    "plan.rtfs": """(let [orders (call "shop.list" {})]
  (kv/put "login" {:user "ann" :password "hunter2hunter2"})
  (doseq [n (range 3)] (call "ccos.system.sleep-ms" 300))
  (try (last (mapv (fn [order] (call "shop.cancel" {:id (:id order)})) orders))
    (catch :policy e (str "refused: " (:reason (:data e))))))
""",
}


def modules() -> Path:
    """The folder with what is needed of npm."""
    folder = FOLDER / "console"
    for package in PACKAGES:
        npm_package(folder, package, *PACKAGES)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", metavar="FOLDER", help="keep a screenshot of every page there")
    shots = parser.parse_args().shots
    chromium = os.environ.get("RTFS_CHROMIUM") or shutil.which("chromium")
    assert chromium, "there is no chromium"
    if shots:
        Path(shots).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        environment = {"XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(ROOT)}
        config = str(folder / "rtfs.yaml")
        with Typist("console", "--answer", "--config", config, **environment) as terminal:
            shown = terminal.wait("Ctrl-C ends")
            link = re.search(r"http://\S+#\S+", shown)
            assert link, shown
            given = {
                "link": link[0], "python": sys.executable, "folder": made, "modules": str(modules()),
                "shots": shots and os.path.abspath(shots), "chromium": chromium,
            }  # fmt: skip
            script = Path(__file__).with_suffix(".mjs")
            done = subprocess.run(
                ["node", str(script), json.dumps(given)], env={**os.environ, **environment}, timeout=600, check=False
            )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
