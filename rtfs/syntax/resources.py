"""Finds the text files that travel with the package: the grammar and the standard library.

Knows nothing of what they hold. Invariant: an installed wheel (`rtfs/_data/…`) and an editable checkout (the folders
beside the package) give the same text under the same name.
"""

from __future__ import annotations

import os

_kept: dict[str, str] = {}
"""The texts that `keep_texts` has read."""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def resource_path(name: str) -> str | None:
    """Path of the resource `name` (`grammar/rtfs.lark`, `stdlib/core.rtfs`), or None if there is none.

    `name` is relative with `/` between its parts; one that leads out of the data folders is never found.
    """
    parts = name.split("/")
    if parts[0] not in ("grammar", "stdlib") or any(part in ("", ".", "..") for part in parts) or os.sep in parts[-1]:
        return None
    for root in (os.path.join(_PACKAGE, "_data"), os.path.dirname(_PACKAGE)):
        path = os.path.join(root, *parts)
        if os.path.isfile(path):
            return path
    return None


def resource_folders() -> list[str]:
    """The folders `grammar` and `stdlib` that this installation reads."""
    roots = (os.path.join(_PACKAGE, "_data"), os.path.dirname(_PACKAGE))
    root = next((root for root in roots if os.path.isfile(os.path.join(root, "stdlib", "core.rtfs"))), None)
    return [] if root is None else [os.path.join(root, "grammar"), os.path.join(root, "stdlib")]


def resource_text(name: str) -> str:
    """Text of the resource `name`, with `\\n` line ends. Raises FileNotFoundError if the package has no such file."""
    if name in _kept:
        return _kept[name]
    path = resource_path(name)
    if path is None:
        raise FileNotFoundError(f"the rtfs package has no file {name!r}")
    with open(path, encoding="utf-8") as file:
        return file.read()


def keep_texts() -> None:
    """Read everything now: this process is about to lose its files."""
    for folder in resource_folders():
        for where, _, names in os.walk(folder):
            for name in names:
                if name.endswith((".rtfs", ".lark")):
                    full = os.path.relpath(os.path.join(where, name), os.path.dirname(folder)).replace(os.sep, "/")
                    _kept[full] = resource_text(full)
