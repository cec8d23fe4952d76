"""Search over capabilities: BM25 over ids, names, descriptions and argument names.

Must not know policy: it finds what it was given. SQLite's FTS5 ranks (its `bm25`, with a weight a column), and stems
words. Invariant: no query is an error; one that fits nothing finds nothing.
"""

from __future__ import annotations

import re
import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WEIGHTS = (2.0, 1.0, 1.0, 1.0)
"""Weight of a word in the id, the name, the description, the names of arguments; `python -m benchmarks search` measures
the results."""
LONGEST = 500
"""Characters of a query that are looked at."""
COMMON = frozenset(
    (
        *("a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "did", "do", "does", "done"),
        *("each", "for", "from", "get", "has", "have", "here", "how", "i", "if", "in", "into", "is", "it", "its", "me"),
        *("my", "no", "not", "of", "on", "or", "should", "so", "some", "somebody", "something", "somewhere", "than"),
        *("that", "the", "them", "then", "there", "these", "they", "this", "those", "to", "up", "use", "was", "were"),
        *("what", "when", "where", "which", "who", "whose", "why", "will", "with", "would", "you", "your"),
    )
)
"""Words of a query that say nothing by themselves."""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Document:
    """A document of the search. key: the value that a hit returns. The other fields are searched."""

    __slots__ = ("arguments", "description", "key", "name")

    def __init__(self, key: str, name: str, description: str, arguments: Iterable[str]) -> None:
        self.key = key
        self.name = name
        self.description = description
        self.arguments = tuple(arguments)


class Index:
    """An index over documents, in memory."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._keys: list[str] = []
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE VIRTUAL TABLE doc USING fts5(id, name, description, arguments, tokenize='porter unicode61')"
        )
        rows = []
        for one in documents:
            self._keys.append(one.key)
            rows.append((_words(one.key), _words(one.name), _words(one.description), _words(" ".join(one.arguments))))
        self._db.executemany("INSERT INTO doc VALUES (?, ?, ?, ?)", rows)

    def search(self, query: str) -> list[str]:
        """The keys of the documents that have any word of the query, the best first; all of them for a query without
        words, in their order."""
        words = list(dict.fromkeys(_words(query[:LONGEST]).split()))
        words = [word for word in words if word not in COMMON] or words
        if not words:
            return list(self._keys)
        match = " OR ".join(f'"{word}"' for word in words)
        weights = ", ".join(str(weight) for weight in WEIGHTS)
        found = self._db.execute(
            f"SELECT rowid FROM doc WHERE doc MATCH ? ORDER BY bm25(doc, {weights}), rowid", (match,)
        ).fetchall()
        return [self._keys[row - 1] for (row,) in found]

    def close(self) -> None:
        """Let go of the memory."""
        self._db.close()


def _words(text: str) -> str:
    """The words of a text, those of `listIssues`, `list_issues` and `list.issues` apart."""
    return " ".join(_WORD.findall(_HUMP.sub(" ", text))).lower()
