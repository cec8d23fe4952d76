"""A small TextMate tokeniser, for tests: `match`, `begin`/`end`, nested `patterns`, `include` and `captures`.

Works line by line as editors do, with the text of the line up to and including its line end. The regular expressions
are Python's here and Oniguruma's in editors; the grammar keeps to what both know.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_compiled = cache(re.compile)


class Grammar:
    """A grammar as loaded from JSON."""

    def __init__(self, grammar: dict[str, Any]) -> None:
        self.root = grammar
        self.repository = grammar["repository"]

    def scopes(self, text: str) -> list[str]:
        """The innermost scope of each character; "" where no rule matched."""
        found = [""] * len(text)
        stack: list[dict[str, Any]] = [{"patterns": self.root["patterns"]}]
        base = 0
        for line in re.findall(r"[^\n]*\n|[^\n]+", text):
            self._line(line, base, stack, found)
            base += len(line)
        return found

    def _line(self, line: str, base: int, stack: list[dict[str, Any]], found: list[str]) -> None:
        at = 0
        while at <= len(line):
            rule = stack[-1]
            ended = _compiled(rule["end"]).search(line, at) if "end" in rule else None
            best, chosen = ended, None
            for candidate in self._expand(rule.get("patterns", ())):
                pattern = candidate.get("match") or candidate["begin"]
                if pattern.startswith("\\A") and base:
                    continue
                match = _compiled(pattern).search(line, at)
                if match is not None and (best is None or match.start() < best.start()):
                    best, chosen = match, candidate
            name = rule.get("name", "")
            if best is None:
                found[base + at : base + len(line)] = [name] * (len(line) - at)
                return
            found[base + at : base + best.start()] = [name] * (best.start() - at)
            inner = name if chosen is None else chosen.get("name", name)
            found[base + best.start() : base + best.end()] = [inner] * (best.end() - best.start())
            if chosen is None:
                stack.pop()
            elif "begin" in chosen:
                stack.append(chosen)
            else:
                for group, capture in chosen.get("captures", {}).items():
                    start, end = best.span(int(group))
                    found[base + start : base + end] = [capture["name"]] * (end - start)
            if best.end() == best.start():
                raise AssertionError(f"a rule matches nothing: {best.re.pattern}")
            at = best.end()

    def _expand(self, patterns: Any) -> Any:
        for pattern in patterns:
            if "include" in pattern:
                yield from self._expand([self.repository[pattern["include"].removeprefix("#")]])
            elif "match" in pattern or "begin" in pattern:
                yield pattern
            else:
                yield from self._expand(pattern["patterns"])
