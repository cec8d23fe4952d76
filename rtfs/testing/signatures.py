"""Finds the kinds of arguments that the standard functions take, and the kinds of their results, by calling them.

Every function is called with samples of every kind in every place. A kind counts as refused in a place only if each
of these calls ended in `type/…`; a result kind is one that some call gave. `python -m rtfs.testing.signatures --write`
puts what was found into rtfs/checker/signature_data.py; the tests compare. Knows nothing of how the checker uses it.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from pathlib import Path
from typing import Any

import rtfs
from rtfs.builtins import CORE
from rtfs.checker.facts import kind_of
from rtfs.values import UserError

TABLE = Path(__file__).resolve().parent.parent / "checker" / "signature_data.py"
HEADING = '''"""Which kinds of arguments the standard functions take and what they return; made by calling them.

`python -m rtfs.testing.signatures --write` makes this file, its docstring says how. A line has, for each number of
arguments, the kinds taken in each place and those of the result, a letter a kind (see builtin_signatures.py); `*`: any.
"""

# fmt: off
SIGNATURES = {
'''
READERS = ("parse-json", "read-str", "parse-string", "read-string", "parsed-seq")
"""Functions whose result depends on what a text says."""
MOST = 3
"""Arguments that are tried at most; a further one is as the last."""
LETTERS = {
    "nil": "n",
    "bool": "b",
    "int": "i",
    "float": "f",
    "string": "s",
    "keyword": "k",
    "symbol": "y",
    "vector": "v",
    "list": "l",
    "lazy": "z",
    "map": "m",
    "set": "t",
    "regex": "r",
    "function": "F",
    "error": "e",
}
ALL = "".join(LETTERS.values())
_ERROR = '(try (throw "x") (catch e e))'
_TEXTS = {
    "nil": ["nil"],
    "bool": ["true", "false"],
    "int": ["0", "1", "2"],
    "float": ["1.5", "0.0"],
    "string": ['""', '"a"', '"12"', '"[1]"', '"%s"', '"(a)"'],
    "keyword": [":a", ":keywords", ":a/b"],
    "symbol": ["'a", "'a/b"],
    "vector": [
        "[]",
        "[1 2]",
        "[[:a 1]]",
        '["a" "b"]',
        "[{:a 1} {:a 2}]",
        "[:a]",
        "[[1 2] [3 4]]",
        f"[{_ERROR} {_ERROR}]",
    ],
    "list": ["'()", "'(1 2)", "'([:a 1])", "'(:a)", '\'("a")', "'({:a 1})", f"(list {_ERROR} {_ERROR})"],
    "lazy": [
        "(take 3 (iterate inc 0))",
        '(take 2 (repeatedly (fn [] "a")))',
        "(take 1 (repeatedly (fn [] {:a 1})))",
        f"(let [e {_ERROR}] (take 2 (repeatedly (fn [] e))))",
    ],
    "map": ["{}", "{:a 1}", '{"a" 1}', "{1 {:a 1}}", "{:a [1]}", f"{{:a {_ERROR}}}"],
    "set": ["#{}", "#{1 2}", '#{"a"}', "#{:a}", "#{{:a 1}}", f"#{{{_ERROR}}}"],
    "regex": ['#"a"', '#"(a)"'],
    "function": [
        "(fn [& xs] (first xs))",
        "(fn [& xs] true)",
        "(fn [& xs] 1)",
        "(fn [& xs] [1])",
        "(fn [& xs] {:a 1})",
        '(fn [& xs] "a")',
        f"(let [e {_ERROR}] (fn [& xs] e))",
        "(map inc)",
    ],
    "error": [_ERROR],
}


def samples() -> dict[str, list[Any]]:
    """Values of each kind."""
    runtime = rtfs.Runtime()
    return {kind: [runtime.run(text) for text in texts] for kind, texts in _TEXTS.items()}


def kind(value: Any) -> str:
    found = kind_of(value)
    if found is None:
        name = type(value).__name__
        found = "error" if isinstance(value, UserError) else "function" if callable(value) else name
    return found


def probe(function: Any, samples: dict[str, list[Any]]) -> dict[int, tuple[tuple[str, ...], str]]:
    """For each number of arguments: the letters of the kinds taken in each place, and those of the results."""
    found = {}
    for count in argument_counts(function):
        kinds_taken: list[set[str]] = [set() for _ in range(count)]
        results: set[str] = set()
        # of functions all: what one gives may be what comes out
        some = {
            name: values if count <= 2 or name == "function" else [*values[:2], values[-1]]
            for name, values in samples.items()
        }
        for names in itertools.product(some, repeat=count):
            for arguments in itertools.product(*[some[name] for name in names]):
                try:
                    result = function(*arguments)
                except UserError as error:
                    if error.code.startswith("type/"):
                        continue
                except TypeError as error:  # the machine makes `type/not-callable` or `arity` of it
                    if "not callable" in str(error):
                        continue
                else:
                    name = kind(result)
                    results.add(LETTERS.get(name, "?"))
                for place, name in enumerate(names):
                    kinds_taken[place].add(LETTERS[name])
        found[count] = (tuple(["".join(sorted(one, key=ALL.index)) for one in kinds_taken]), _sorted(results))
    return found


def _sorted(letters: set[str]) -> str:
    return "*" if "?" in letters else "".join(sorted(letters, key=ALL.index))


def argument_counts(function: Any) -> range:
    """The numbers of arguments a function takes, up to MOST."""
    least, most = 0, 0
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.VAR_POSITIONAL:
            most = MOST
        elif one.kind is one.POSITIONAL_OR_KEYWORD or one.kind is one.POSITIONAL_ONLY:
            most += 1
            least += one.default is one.empty
    return range(least, min(most, MOST) + 1)


def is_reader(name: str) -> bool:
    return name.rpartition("/")[2] in READERS


def table() -> dict[str, str]:
    """Name → its line of the table: `count:kinds,kinds>results`, parts separated by blanks."""
    values = samples()
    lines = {}
    for name in sorted(CORE):
        function: Any = CORE[name]
        if not callable(function):
            continue
        parts = []
        for count, (taken, results) in probe(function, values).items():
            shown = ["*" if one == ALL else one for one in taken]
            # an error comes out only where it was put in: such a function hands on what it is given
            known = results not in ("", "*") and LETTERS["error"] not in results and not is_reader(name)
            parts.append(f"{count}:{','.join(shown)}>{results if known else '*'}")
        lines[name] = " ".join(parts)
    return lines


def render() -> str:
    """The text of rtfs/checker/signature_data.py."""
    lines = [f'    "{name}": "{line}",' for name, line in table().items()]
    return HEADING + "\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> None:
    """Write the table, or say that it is not up to date."""
    if "--write" in arguments:
        TABLE.write_text(render(), encoding="utf-8")
    elif TABLE.read_text(encoding="utf-8") != render():
        sys.exit(f"{TABLE} is not up to date: run python -m rtfs.testing.signatures --write")


if __name__ == "__main__":
    main(sys.argv[1:])
