"""The names of the files that are looked for in the working folder.

Must not know what is in them. Invariant: importing this costs nothing, so that a command in a folder without them need
not load what reads them.
"""

from __future__ import annotations

CONFIG = "rtfs.yaml"
SERVERS = (".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json")
"""Of two servers with one name that of the first file counts."""
