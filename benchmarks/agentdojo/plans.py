"""A plan as an AgentDojo pipeline: it answers the prompt by running a program, and tools are capabilities.

Knows nothing of attacks. Invariant: a task without a plan is counted as unsolved, never left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime
from agentdojo.types import ChatAssistantMessage, text_content_block_from_string
from pydantic import BaseModel

import rtfs
from benchmarks import measure
from rtfs.host.config.config import read_config
from rtfs.types.from_schema import from_json_schema

FOLDER = Path(__file__).parent
READING = re.compile(r"(get|read|search|list|check)_")


def plan_of(suite: str, task: str) -> str | None:
    """The program for a task; None if it has none."""
    file = FOLDER / "plans" / suite / f"{task}.rtfs"
    return file.read_text(encoding="utf-8") if file.exists() else None


def policy_of(suite: str) -> dict[str, Any]:
    """The flow rules of a suite, as options of a `Runtime`."""
    return {"flow": read_config(FOLDER / "policy" / f"{suite}.yaml").runtime_fields()["flow"]}


class PlanPipeline(BasePipelineElement):
    """Runs the plan of one task. guarded: under the suite's policy. After a query `denied` is the error that a flow
    rule gave, `failed` any other, and `seconds` what the plan took, its text compiled."""

    name = "local"

    def __init__(self, suite: str, guarded: bool) -> None:
        self.suite = suite
        self.options = policy_of(suite) if guarded else {}
        self.task = ""
        self.denied: rtfs.UserError | None = None
        self.failed: rtfs.UserError | None = None
        self.seconds = 0.0

    def query(self, query: str, runtime: FunctionsRuntime, env: Any = None, messages: Any = (), extra_args: Any = None):  # type: ignore[no-untyped-def]
        self.denied = self.failed = None
        calls: list[FunctionCall] = []
        text = plan_of(self.suite, self.task)
        answer = ""
        if text is not None:
            with rtfs.Runtime(**self.options) as host:
                for function in runtime.functions.values():
                    self._register(host, runtime, function, env, calls)
                started = measure.clock()
                try:
                    value = host.run(text, name=f"{self.task}.rtfs", check=False)
                    answer = value if isinstance(value, str) else rtfs.to_text(value)
                except rtfs.UserError as error:
                    answer = error.message
                    if error.code == "policy/flow":
                        self.denied = error
                    else:
                        self.failed = error
                finally:
                    self.seconds = measure.clock() - started
        said = ChatAssistantMessage(
            role="assistant", content=[text_content_block_from_string(answer)], tool_calls=calls or None
        )
        return query, runtime, env, [*messages, said], extra_args or {}

    def _register(
        self, host: rtfs.Runtime, runtime: FunctionsRuntime, function: Any, env: Any, calls: list[FunctionCall]
    ) -> None:
        def perform(given: Any) -> Any:
            arguments = rtfs.to_python(given) or {}
            calls.append(FunctionCall(function=function.name, args=arguments))
            result, error = runtime.run_function(env, function.name, arguments)
            if error is not None:
                raise rtfs.HostError(error, code="capability/failed")
            return rtfs.from_python(plain(result), keywords=True)

        schema = function.parameters.model_json_schema()
        host.register(
            f"{self.suite}.{function.name}",
            perform,
            description=function.description,
            input_schema=rtfs.to_text(from_json_schema(schema)) if schema.get("properties") else "[:map]",
            effects=["read" if READING.match(function.name) else "write"],
        )


def plain(value: Any) -> Any:
    """What a tool answered, as plain data."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "value", None) if hasattr(value, "value") else str(value)
