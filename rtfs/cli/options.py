"""The options of a command line, and a fast path that reads `rtfs run …` without argparse.

Must not know what is done with it. Invariant: whatever `parse_run` does not fully understand it leaves to the argparse
parser (None), so that there is one place for help and usage errors.
"""

from __future__ import annotations


class Usage(Exception):
    """The command line makes no sense; `message` says why, `hint` what to try, `shape` how it is written. Exit code
    2."""

    def __init__(self, message: str, hint: str | None = None, shape: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.shape = shape


class Options:
    """command: run, repl, call, capabilities, test, mcp … file: a path, `-` for standard input, or None. expression:
    of `-e`. args: what is behind the program, for it to read as `@args`. action, id: of call and capabilities.
    words: the arguments of call. rest: arguments of commands that have a parser of their own. ledger, record, replay:
    files. state: folder or database of durable runs. params: `NAME=VALUE`, of the program's plan. approve: the call, as
    text, to say yes to, once. trust: say yes to the files of the working folder."""

    __slots__ = (
        "action", "allow", "approve", "args", "certified", "certify", "check", "command", "config", "context",
        "debug", "diff", "dry", "durable", "expression", "file", "files", "id", "isolate", "json", "json_schema",
        "key", "ledger", "load", "mcp_config", "no_input", "params", "policy", "principal", "record", "replay",
        "rest", "run_id", "state", "timeout", "trust", "verbose", "watch", "words",
    )  # fmt: skip

    def __init__(self, command: str) -> None:
        self.command = command
        self.file: str | None = None
        self.expression: str | None = None
        self.args: list[str] = []
        self.allow: list[str] = []
        self.load: list[str] = []
        self.mcp_config: list[str] = []
        self.context: str | None = None
        self.params: list[str] = []
        self.config: str | None = None
        self.principal: str | None = None
        self.ledger: str | None = None
        self.record: str | None = None
        self.replay: str | None = None
        self.run_id: str | None = None
        self.state: str | None = None
        self.durable = False
        self.isolate = False
        self.approve = ""
        self.timeout: float | None = None
        self.verbose = 0
        self.json = False
        self.no_input = False
        self.trust = False
        self.policy = False
        self.debug = False
        self.action = ""
        self.files: list[str] = []
        self.check = True
        self.watch = False
        self.certify: str | None = None
        self.certified: str | None = None
        self.key: str | None = None
        self.diff = False
        self.dry = False
        self.json_schema = False
        self.id = ""
        self.words: list[str] = []
        self.rest: list[str] = []


_TAKING = {
    "--allow": "allow", "--load": "load", "--mcp-config": "mcp_config", "--context": "context", "--param": "params",
    "--config": "config", "--principal": "principal",
    "-e": "expression", "--timeout": "timeout", "--ledger": "ledger", "--record": "record", "--replay": "replay",
    "--run-id": "run_id", "--state": "state", "--certified": "certified", "--key": "key",
}  # fmt: skip
_LISTS = ("allow", "load", "mcp_config", "params")


def parse_run(arguments: list[str]) -> Options | None:
    """The options of `rtfs run …`, or None where argparse should look at them."""
    options = Options("run")
    words: list[str] = []
    index = 0
    while index < len(arguments):
        word = arguments[index]
        index += 1
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        field = _TAKING.get(name)
        if field is not None:
            if not equals:
                if index >= len(arguments):
                    return None
                value = arguments[index]
                index += 1
                if value.startswith("--") or (value.startswith("-") and value in _TAKING):
                    return None
            if field in _LISTS:
                getattr(options, field).append(value)
            elif field == "timeout":
                options.timeout = seconds(value)
                if options.timeout is None:
                    return None
            else:
                setattr(options, field, value)
        elif word in ("-v", "-vv", "--verbose"):
            options.verbose += 2 if word == "-vv" else 1
        elif word == "--json":
            options.json = True
        elif word == "--no-input":
            options.no_input = True
        elif word == "--no-check":
            options.check = False
        elif word == "--trust":
            options.trust = True
        elif word == "--durable":
            options.durable = True
        elif word == "--isolate":
            options.isolate = True
        elif word == "--debug":
            options.debug = True
        elif word == "--":
            words += arguments[index:]
            break
        elif word.startswith("-") and word != "-":
            return None
        else:
            words.append(word)
    if options.expression is None:
        if not words:
            return None
        options.file = words.pop(0)
    options.args = words
    return options


def seconds(text: str) -> float | None:
    """The seconds that a text names; None for what is not a time to wait."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
