"""Calls of real servers' tools, right ones and mutants, as the checker, the run's own check and jsonschema judge them.

`python -m tests.checker.mutation` prints the figures. The tools are those of tools.jsonl, which tests_full.tool_schemas
fetches: all schemas of servers that people use, unchanged but for their descriptions.
"""

from __future__ import annotations

import copy
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker

import rtfs
from rtfs.capabilities.sessions.mcp.tool_declarations import declarations
from rtfs.values import from_python

FILE = Path(__file__).with_name("tools.jsonl")
FORMATS = FormatChecker(formats=["email"])
"""What is asserted of texts: `uri` and `email`, as types do; jsonschema alone does not look at formats."""


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    """A scheme, then something without blanks (RFC 3986)."""
    if not isinstance(value, str):
        return True
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:(//[^\s/?#]+\S*|[^\s/]\S*)", value) is not None


def validator(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FORMATS)


KINDS = (
    "required key left out",
    "another type",
    "number as text",
    "null",
    "outside of the enum",
    "number out of range",
    "text of a wrong length",
    "item of another type",
    "wrong number of items",
    "unknown key",
)


class Tool(NamedTuple):
    """server: the package. schema: of the arguments."""

    server: str
    version: str
    name: str
    schema: dict[str, Any]


class Call(NamedTuple):
    """kind: of mutant, "" for gold arguments. valid: what jsonschema says of the arguments."""

    kind: str
    arguments: dict[str, Any]
    valid: bool


def tools() -> list[Tool]:
    """Those of the file, in its order."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        server = json.loads(line)
        found += [Tool(server["package"], server["version"], name, schema) for name, schema in server["tools"].items()]
    return found


# ---------------------------------------------------------------------- schemas
def closed(schema: Any) -> Any:
    """The schema with every object closed that names properties and does not say that others are allowed."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for word, value in schema.items():
        if word in ("enum", "const", "default", "required", "type"):
            made[word] = value
        elif word in ("properties", "patternProperties", "$defs", "definitions"):
            made[word] = {name: closed(one) for name, one in value.items()}
        else:
            made[word] = closed(value)
    if "properties" in schema and not {"additionalProperties", "patternProperties"} & schema.keys():
        made["additionalProperties"] = False
    return made


def relaxed(schema: Any) -> Any:
    """The schema without requiring properties that have a default: these may be left out (docs/guide/mcp.md)."""
    if isinstance(schema, list):
        return [relaxed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {word: value if word in ("enum", "const", "default") else relaxed(value) for word, value in schema.items()}
    properties, required = schema.get("properties"), schema.get("required")
    if isinstance(properties, dict) and isinstance(required, list):
        made["required"] = [name for name in required if "default" not in properties.get(name, {})]
    return made


def resolved(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or what its reference names."""
    for _ in range(8):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if reference is None or not reference.startswith("#"):
            break
        schema = root
        for step in reference[1:].strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            schema = schema[int(step)] if isinstance(schema, list) else schema[step] if step else schema
    return schema if isinstance(schema, dict) else {}


# ---------------------------------------------------------------------- right arguments
class Generator:
    """Makes values of a schema. full: 0 for what is required only, 1 for every property, else a chance."""

    def __init__(self, root: dict[str, Any], seed: str, full: float) -> None:
        self.root = root
        self.full = full
        self.random = random.Random(seed)

    def value(self, schema: Any, depth: int = 0) -> Any:
        schema = resolved(schema, self.root)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.value({**self.random.choice(schema[word])}, depth)
        if "allOf" in schema:
            merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                part = resolved(part, self.root)
                properties = {**merged.get("properties", {}), **part.get("properties", {})}
                required = [*merged.get("required", []), *part.get("required", [])]
                merged = {**merged, **part}
                merged.update({"properties": properties, "required": required} if properties else {})
            return self.value(merged, depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.random.choice(kind)
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return getattr(self, f"_{kind}")(schema, depth)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        made = {}
        required = schema.get("required", [])
        for name, one in schema.get("properties", {}).items():
            if name in required or (depth < 6 and self.random.random() < self.full):
                made[name] = self.value(one, depth + 1)
        for name in required:
            made.setdefault(name, "x")
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        count = max(least, 0 if depth > 6 else 1)
        count = min(count, schema.get("maxItems", count))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _string(self, schema: dict[str, Any], depth: int) -> str:
        for text in _TEXTS:
            text = text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 1000)]
            if validator(schema).is_valid(text):
                return text
        return _TEXTS[0]

    def _integer(self, schema: dict[str, Any], depth: int) -> int:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 11) - 1)
        return self.random.randint(int(low), max(int(low), int(high)))

    def _number(self, schema: dict[str, Any], depth: int) -> int | float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 10))
        return self.random.choice([(low + high) / 2, int((low + high) / 2)])

    def _boolean(self, schema: dict[str, Any], depth: int) -> bool:
        return self.random.random() < 0.5

    def _null(self, schema: dict[str, Any], depth: int) -> None:
        return None


_TEXTS = (
    "a text", "name", "2026-11-29", "2026-11-29T10:00:00Z", "https://example.org/a", "a@example.org", "1", "ABC-123",
    "0123456789abcdef0123456789abcdef", "00000000-0000-4000-8000-000000000000", "/tmp/a.txt", "#a0b1c2", "en", "US",
    "owner/name", "1700000000.000100", "C0123ABCD", "12:30", "a.b", "0123456789abcdef01234567", "2026-11",
)  # fmt: skip


# ---------------------------------------------------------------------- mutants
def parts(schema: Any, value: Any, root: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any, Any]]:
    """Each part of a value with its path and its schema, as far as one is told."""
    schema = resolved(schema, root)
    yield path, schema, value
    if isinstance(value, dict):
        for name, one in value.items():
            if name in schema.get("properties", {}):
                yield from parts(schema["properties"][name], one, root, (*path, name))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for place, one in enumerate(value):
            yield from parts(schema["items"], one, root, (*path, place))


def changed(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """The value with the part at the path replaced."""
    if not path:
        return change
    made = copy.deepcopy(value)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = change
    return made


def mutants(tool: Tool, gold: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Kind and arguments of every mutant of gold arguments: each kind wherever it is possible."""
    for path, schema, value in parts(tool.schema, gold, tool.schema):
        if isinstance(value, dict):
            for name in schema.get("required", ()):
                yield KINDS[0], changed(gold, path, {key: one for key, one in value.items() if key != name})
            names = list(schema.get("properties", {}))
            for name in (f"{names[0]}x" if names else "surprise", "zzz"):
                if name not in names:
                    yield KINDS[9], changed(gold, path, {**value, name: 1})
        if not path:
            continue
        for other in (True, 7, "other", [1], {"a": 1}):
            if type(other) is not type(value):
                yield KINDS[1], changed(gold, path, other)
        if isinstance(value, (int, float)):
            yield KINDS[2], changed(gold, path, str(value))
        yield KINDS[3], changed(gold, path, None)
        if "enum" in schema:
            yield KINDS[4], changed(gold, path, f"{schema['enum'][0]}_")
            yield KINDS[4], changed(gold, path, "")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            for number in (-1, 0, 0.5, 10**9):
                yield KINDS[5], changed(gold, path, number)
        if isinstance(value, str):
            for text in ("", "x" * 5000, " "):
                yield KINDS[6], changed(gold, path, text)
        if isinstance(value, list):
            for item in (None, 1, "one", {}):
                yield KINDS[7], changed(gold, path, [*value, item])
            yield KINDS[8], changed(gold, path, [])
            yield KINDS[8], changed(gold, path, [*value, *value] * 60)


def calls(tool: Tool, most: int | None = None) -> list[Call]:
    """Gold arguments of a tool, three kinds of them, and their mutants; each once. most: of mutants of a kind."""
    asked = relaxed(tool.schema)
    strict = validator(closed(asked))
    found: dict[str, Call] = {}
    gold = [
        Generator(tool.schema, f"{tool.server}/{tool.name}/{full}", full).value(tool.schema) for full in (0, 1, 0.5)
    ]
    for one in gold:
        if validator(tool.schema).is_valid(one) and strict.is_valid(one):
            found.setdefault(json.dumps(one), Call("", one, True))
    for call in list(found.values()):
        for kind, mutant in mutants(tool, call.arguments):
            if isinstance(mutant, dict):
                found.setdefault(json.dumps(mutant), Call(kind, mutant, strict.is_valid(mutant)))
    if most is None:
        return list(found.values())
    chance = random.Random(f"{tool.server}/{tool.name}")
    by_kind: dict[str, list[Call]] = {}
    for call in found.values():
        by_kind.setdefault(call.kind, []).append(call)
    return [
        call
        for kind, of_kind in by_kind.items()
        for call in (of_kind if kind == "" else chance.sample(of_kind, min(most, len(of_kind))))
    ]


# ---------------------------------------------------------------------- judging
class Verdicts(NamedTuple):
    """Of one tool. notes: what its declaration does not check. calls: each with what the checker and the run's own
    check of the arguments say of it: True where they take it."""

    tool: Tool
    notes: list[str]
    calls: list[tuple[Call, bool, bool]]


def judge(tool: Tool, most: int | None = None) -> Verdicts:
    """Declare a tool and judge its calls, `most` mutants of each kind. Nothing is called."""
    notes: list[str] = []
    listed = {"name": tool.name, "inputSchema": tool.schema}
    (declared,) = declarations([listed], "server", {"server_url": "http://127.0.0.1:9/mcp"}, notes)
    judged = []
    with rtfs.Runtime() as runtime:
        runtime.load(declared.text, declared.file)
        entry = runtime._registry.find(declared.id)
        assert entry is not None
        for call in calls(tool, most):
            value = from_python(call.arguments, keywords=True)
            program = f'(call "{declared.id}" {rtfs.to_text(value)})'
            taken = not rtfs.analyse(program, runtime=runtime).errors
            try:
                if entry.check_input is not None:
                    entry.check_input(value, "arguments")
            except rtfs.UserError:
                judged.append((call, taken, False))
            else:
                judged.append((call, taken, True))
    return Verdicts(tool, notes, judged)


class Figures:
    """What came of many calls. refused, taken: by kind, where checker and jsonschema agree. wrongly_taken,
    wrongly_refused: where they do not. run: where the run's own check says something else than the checker."""

    def __init__(self) -> None:
        self.tools = 0
        self.without_gold: list[str] = []
        self.refused: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.wrongly_taken: list[tuple[Tool, Call]] = []
        self.wrongly_refused: list[tuple[Tool, Call]] = []
        self.run: list[tuple[Tool, Call]] = []

    def add(self, verdicts: Verdicts) -> None:
        self.tools += 1
        if not any(call.kind == "" for call, _, _ in verdicts.calls):
            self.without_gold.append(f"{verdicts.tool.server} {verdicts.tool.name}")
        for call, taken, run in verdicts.calls:
            if taken is not run:
                self.run.append((verdicts.tool, call))
            if taken is call.valid:
                (self.taken if taken else self.refused)[call.kind] += 1
            else:
                (self.wrongly_taken if taken else self.wrongly_refused).append((verdicts.tool, call))

    def show(self) -> Iterator[str]:
        """The figures, a line each."""
        yield f"{self.tools} tools; gold calls accepted: {self.taken['']}; tools without any: {len(self.without_gold)}"
        for kind in KINDS:
            wrong = [sum(call.kind == kind for _, call in one) for one in (self.wrongly_taken, self.wrongly_refused)]
            yield (
                f"{kind}: {self.refused[kind]} refused and {self.taken[kind]} accepted as jsonschema does; "
                f"{wrong[0]} accepted that it refuses, {wrong[1]} refused that it accepts"
            )
        yield f"the run's own check says something else than the checker: {len(self.run)}"


def main() -> int:
    """Print the figures, and each call that is judged otherwise; 1 if there is one."""
    found = Figures()
    for tool in tools():
        found.add(judge(tool))
    print("\n".join(found.show()))
    otherwise = (("taken", found.wrongly_taken), ("refused", found.wrongly_refused), ("run", found.run))
    for name, wrong in otherwise:
        for tool, call in wrong:
            print(f"{name}: {tool.server} {tool.name} [{call.kind}] {json.dumps(call.arguments)[:300]}")
    return 1 if any(wrong for _, wrong in otherwise) else 0


if __name__ == "__main__":
    sys.exit(main())
