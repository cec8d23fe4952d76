"""The environments of the servers: a virtual environment a Python SDK, one folder of npm packages; made when missing.

They are kept in `RTFS_FULL_DIR`, else in a folder of the system's temporary one, and reused.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("RTFS_FULL_DIR") or Path(tempfile.gettempdir()) / "rtfs-full-servers")
PYTHON = {
    "sdk1": ("mcp", ("mcp>=1.20,<2", "uvicorn")),
    "sdk2": ("mcp", ("mcp>=2,<3", "uvicorn")),
    "fm2": ("fastmcp", ("fastmcp>=2.10,<3",)),
    "fm3": ("fastmcp", ("fastmcp>=3,<4",)),
    "fm4": ("fastmcp", ("fastmcp>=4,<5",)),
    "time": ("mcp-server-time", ("mcp-server-time",)),
    "git": ("mcp-server-git", ("mcp-server-git",)),
    "sqlite": ("mcp-server-sqlite", ("mcp-server-sqlite", "mcp<2")),
}
"""name → the package whose version is told, and what is installed."""
NPM = ("everything", "filesystem", "memory", "sequential-thinking")


def python(name: str) -> tuple[Path, str]:
    """The interpreter of an environment and the version of its package."""
    package, wanted = PYTHON[name]
    folder = FOLDER / name
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    version = _version(interpreter, package)
    if version is None:
        quiet = ("--disable-pip-version-check", "-qq")
        subprocess.run([str(interpreter), "-m", "pip", "install", *quiet, *wanted], check=True)
        version = _version(interpreter, package)
    assert version is not None, f"{package} could not be installed"
    return interpreter, version


def _version(interpreter: Path, package: str) -> str | None:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(interpreter), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def npm_package(folder: Path, package: str, *words: str, timeout: float | None = None) -> dict[str, Any]:
    """What a package of npm in a folder says of itself (its `package.json`). words: for `npm install`, which is run if
    the package is not there. timeout: seconds that it may take."""
    described = folder / "node_modules" / package / "package.json"
    if not described.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "package.json").exists():
            (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", *words]
        subprocess.run(command, cwd=folder, check=True, timeout=timeout)
    said: dict[str, Any] = json.loads(described.read_text(encoding="utf-8"))
    return said


def node(name: str, packages: Sequence[str], script: Path) -> tuple[Path, str]:
    """A folder with packages of npm and a copy of the script beside them, and the version of the first package."""
    folder = FOLDER / name
    version = npm_package(folder, packages[0], *packages)["version"]
    shutil.copy(script, folder / script.name)
    return folder, version


def npm(name: str) -> tuple[Path, str]:
    """The program of a reference server on npm and its version."""
    folder = FOLDER / "node"
    package = f"@modelcontextprotocol/server-{name}"
    said = npm_package(folder, package, package)
    (program,) = said["bin"].values() if isinstance(said["bin"], dict) else (said["bin"],)
    return folder / "node_modules" / package / program, said["version"]
