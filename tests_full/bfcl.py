"""The Berkeley Function Calling Leaderboard's calls: `python -m tests_full.bfcl` prints what comes of them.

Package `bfcl-eval`, in an environment of its own. Every gold call of its Python categories is written as a program and
checked against its function; so are mutants, which its own checker judges too (AST evaluation: names, required and
unexpected parameters, types; values that are merely not the expected ones are none of a schema's business). What
decides is the function's own schema: `jsonschema` judges every call too, and the checker has to say the same.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

import rtfs
from rtfs.types.from_schema import from_json_schema
from rtfs.values import from_python
from tests.checker.mutation import closed
from tests_full.environments import FOLDER

CATEGORIES = (
    "simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel",
    "live_parallel_multiple",
)  # fmt: skip
TYPES = {"dict": "object", "float": "number", "tuple": "array", "list": "array", "bool": "boolean", "any": None}
"""Their words for types that are not JSON Schema's; `any` restricts nothing."""
JUDGE = """
import json, sys
from bfcl_eval.constants.enums import Language
from bfcl_eval.constants.model_config import MODEL_CONFIG_MAPPING
from bfcl_eval.eval_checker.ast_eval.ast_checker import simple_function_checker
model = next(name for name, one in MODEL_CONFIG_MAPPING.items() if not one.underscore_to_dot and "_" not in name)
said = []
for function, call, answer in json.load(sys.stdin):
    try:
        found = simple_function_checker(function, call, answer, Language.PYTHON, model)
        said.append("" if found["valid"] else found["error_type"])
    except Exception as error:
        said.append(f"failed: {type(error).__name__}")
json.dump(said, sys.stdout)
"""
OF_SHAPE = ("simple_function_checker:", "type_error:")
"""What their errors of names, parameters and types begin with."""


class Case(NamedTuple):
    """One call. kind: of mutant, "" for a gold one. function: its description, as theirs. answer: what they expect."""

    kind: str
    function: dict[str, Any]
    call: dict[str, Any]
    answer: dict[str, Any]


def installed() -> Path:
    """The interpreter of the package's environment."""
    folder = FOLDER / "bfcl"
    interpreter = folder / "bin" / "python"
    if not list(folder.glob("lib/*/site-packages/bfcl_eval")):
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        quiet = ("--disable-pip-version-check", "-qq")
        subprocess.run([str(interpreter), "-m", "pip", "install", *quiet, "bfcl-eval", "soundfile"], check=True)
    return interpreter


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def gold(data: Path) -> Iterator[Case]:
    """Every gold call: of each parameter the first value that is expected."""
    for category in CATEGORIES:
        answers = {
            one["id"]: one["ground_truth"] for one in lines(data / "possible_answer" / f"BFCL_v4_{category}.json")
        }
        for entry in lines(data / f"BFCL_v4_{category}.json"):
            functions = {one["name"]: one for one in entry["function"]}
            for answer in answers.get(entry["id"], ()):
                ((name, parameters),) = answer.items()
                required = functions[name]["parameters"].get("required", [])
                arguments = {
                    key: _first(values) for key, values in parameters.items() if key in required or values[0] != ""
                }
                yield Case("", functions[name], {name: arguments}, answer)


def _first(values: list[Any]) -> Any:
    """The first value of several that are expected."""
    return _plain(next((one for one in values if one != ""), ""))


def _plain(value: Any) -> Any:
    """A value whose maps hold alternatives, with the first of each; keys that may be left out are."""
    if isinstance(value, dict):
        return {
            key: _first(inner) if isinstance(inner, list) else _plain(inner)
            for key, inner in value.items()
            if not (isinstance(inner, list) and "" in inner)
        }
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [_plain(one) for one in value]
    return value


def mutants(case: Case) -> Iterator[Case]:
    """A call with one thing wrong."""
    ((name, arguments),) = case.call.items()
    properties = case.function["parameters"]["properties"]

    def made(kind: str, changed: dict[str, Any]) -> Case:
        return Case(kind, case.function, {name: changed}, case.answer)

    yield Case("another name", case.function, {f"{name}x": arguments}, case.answer)
    yield made("unexpected parameter", {**arguments, "zzz": 1})
    for key in case.function["parameters"].get("required", []):
        if key in arguments:
            yield made("missing parameter", {other: value for other, value in arguments.items() if other != key})
    for key, value in arguments.items():
        if key not in properties:
            continue
        for wrong in ("text", 7, 0.5, True, ["a"], {"a": 1}):
            if type(wrong) is not type(value):
                yield made("another type", {**arguments, key: wrong})
        if isinstance(value, list) and value:
            for wrong in ({"a": 1}, 7, "text"):
                if type(wrong) is not type(value[0]):
                    yield made("item of another type", {**arguments, key: [*value, wrong]})


def schema(theirs: Any) -> Any:
    """Their description of parameters as JSON Schema."""
    if isinstance(theirs, list):
        return [schema(one) for one in theirs]
    if not isinstance(theirs, dict):
        return theirs
    made = {}
    for word, value in theirs.items():
        if word == "properties":
            made[word] = {name: schema(one) for name, one in value.items()}
        elif word == "type" and isinstance(value, str):
            type = TYPES.get(value, value)
            if type is not None:
                made[word] = type
        elif word in ("items", "required", "enum", "additionalProperties"):
            made[word] = schema(value) if word == "items" else value
    return made


def taken(cases: list[Case]) -> list[bool]:
    """Whether the checker takes each call, as a program."""
    found = []
    runtimes: dict[int, rtfs.Runtime] = {}
    for case in cases:
        runtime = runtimes.get(id(case.function))
        if runtime is None:
            for other in runtimes.values():
                other.close()
            runtimes.clear()
            runtime = runtimes[id(case.function)] = rtfs.Runtime()
            type = from_json_schema(schema(copy.deepcopy(case.function["parameters"])), [], arguments=True)
            runtime.register(case.function["name"], lambda request: None, input_schema=type)
        ((name, arguments),) = case.call.items()
        text = rtfs.to_text(from_python(arguments, keywords=True))
        found.append(not rtfs.analyse(f"(call {json.dumps(name)} {text})", runtime=runtime).errors)
    return found


def main() -> int:
    interpreter = installed()
    (package,) = (FOLDER / "bfcl").glob("lib/*/site-packages/bfcl_eval")
    right = list(gold(package / "data"))
    cases = [one for case in right for one in (case, *mutants(case))]
    done = subprocess.run(
        [str(interpreter), "-c", JUDGE], input=json.dumps([one[1:] for one in cases]), capture_output=True, text=True
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return 1
    theirs = json.loads(done.stdout[done.stdout.index("[") :])
    ours = taken(cases)
    counts: Counter[tuple[str, str]] = Counter()
    wrong = 0
    for case, said, took in zip(cases, theirs, ours, strict=True):
        fits = valid(case)
        refused_there = said != "" if case.kind == "" else said.startswith(OF_SHAPE)
        words = [f"{'accepted' if took else 'refused'}", f"{'refused' if refused_there else 'accepted'} by bfcl"]
        if took is refused_there:
            words.append(f"{'accepted' if fits else 'refused'} by the schema")
        counts[case.kind, ", ".join(words)] += 1
        if took is not fits:
            wrong += 1
            print("not as the schema says:", case.kind, json.dumps(case.call)[:300], json.dumps(case.function)[:600])
    print(f"{len(right)} gold calls, {len(cases) - len(right)} mutants")
    for (kind, verdict), count in sorted(counts.items()):
        print(f"{kind or 'gold'}: {verdict}: {count}")
    print(f"judged otherwise than the function's schema judges them: {wrong}")
    return 1 if wrong else 0


def valid(case: Case) -> bool:
    """Whether the name and the arguments are what the function's schema says; keys that it does not name are not."""
    ((name, arguments),) = case.call.items()
    return name == case.function["name"] and Draft202012Validator(closed(schema(case.function["parameters"]))).is_valid(
        arguments
    )


if __name__ == "__main__":
    sys.exit(main())
