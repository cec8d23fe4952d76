"""What the command line asked for, and the short way to read `rtfs run …` without argparse.

Must not know what is done with it. Invariant: whatever `parse_run` does not fully understand it leaves to the argparse
parser (None), so that there is one place for help and usage errors.
"""

from __future__ import annotations


class Usage(Exception):
    """The command line makes no sense; `message` says why. Exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Options:
    """command: run, repl, call, capabilities, test, mcp or doctor. file: a path, `-` for standard input, or None.
    expression: of `-e`. action, id, json_text: of call and capabilities. rest: arguments for `test`, `mcp`,
    `audit`, `runs` and `resume`. ledger, record, replay: files. approve: say yes, once."""

    __slots__ = (
        "action", "allow", "approve", "command", "config", "context", "debug", "durable", "expression", "file", "id",
        "json", "json_text", "ledger", "load", "mcp_config", "no_input", "policy", "principal", "record", "replay",
        "rest", "run_id", "timeout", "verbose",
    )  # fmt: skip

    def __init__(self, command: str) -> None:
        self.command = command
        self.file: str | None = None
        self.expression: str | None = None
        self.allow: list[str] = []
        self.load: list[str] = []
        self.mcp_config: list[str] = []
        self.context: str | None = None
        self.config: str | None = None
        self.principal: str | None = None
        self.ledger: str | None = None
        self.record: str | None = None
        self.replay: str | None = None
        self.run_id: str | None = None
        self.durable = False
        self.approve = False
        self.timeout: float | None = None
        self.verbose = 0
        self.json = False
        self.no_input = False
        self.policy = False
        self.debug = False
        self.action = ""
        self.id = ""
        self.json_text: str | None = None
        self.rest: list[str] = []


_TAKING = {
    "--allow": "allow", "--load": "load", "--mcp-config": "mcp_config", "--context": "context",
    "--config": "config", "--principal": "principal",
    "-e": "expression", "--timeout": "timeout", "--ledger": "ledger", "--record": "record", "--replay": "replay",
    "--run-id": "run_id",
}  # fmt: skip
_LISTS = ("allow", "load", "mcp_config")


def parse_run(arguments: list[str]) -> Options | None:
    """The options of `rtfs run …`, or None where argparse should look at them."""
    options = Options("run")
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
            if field in _LISTS:
                getattr(options, field).append(value)
            elif field == "timeout":
                return None
            else:
                setattr(options, field, value)
        elif word in ("-v", "-vv", "--verbose"):
            options.verbose += 2 if word == "-vv" else 1
        elif word == "--json":
            options.json = True
        elif word == "--no-input":
            options.no_input = True
        elif word == "--durable":
            options.durable = True
        elif word == "--debug":
            options.debug = True
        elif (word.startswith("-") and word != "-") or options.file is not None:
            return None
        else:
            options.file = word
    if (options.file is None) == (options.expression is None):
        return None
    return options
