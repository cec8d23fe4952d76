"""RTFS for Python: a small, pure language for plans, and a host that decides about every effect.

The public names, and nothing else; each is imported from its module when it is first used, so that `import rtfs` is
cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.api import card, compile, error_data, format_error, read, read_value, start
    from rtfs.capabilities.manifest import CapabilityManifest
    from rtfs.compiler import Environment
    from rtfs.host.audit.ledger import Record
    from rtfs.host.calls.approvals import ApprovalRequest
    from rtfs.host.durable.flush import idempotency_key
    from rtfs.host.handle import RunHandle
    from rtfs.host.policy.cedar import CedarPolicy
    from rtfs.host.policy.policy import Decision, PolicyRequest
    from rtfs.host.run.options import ResumeOptions, RunOptions
    from rtfs.host.runtime import Runtime
    from rtfs.host.runtime_options import RuntimeOptions
    from rtfs.machine import Complete, HostCall, Limits, RequiresHost
    from rtfs.source import Source, Span
    from rtfs.syntax.printer import to_text
    from rtfs.values import (
        Cancelled,
        CompileError,
        EvalError,
        HostError,
        InternalError,
        Keyword,
        LimitError,
        List,
        Map,
        ReaderError,
        Regex,
        RtfsError,
        Set,
        Symbol,
        TypeMismatch,
        UserError,
        Vector,
        equal,
        from_python,
        to_python,
    )

__version__ = "0.1.0"

_VALUES = (
    "Cancelled", "CompileError", "EvalError", "HostError", "InternalError", "Keyword", "LimitError", "List", "Map",
    "ReaderError", "Regex", "RtfsError", "Set", "Symbol", "TypeMismatch", "UserError", "Vector", "equal", "from_python",
    "to_python",
)  # fmt: skip
_WHERE = {
    **dict.fromkeys(_VALUES, "rtfs.values"),
    **dict.fromkeys(("Complete", "HostCall", "Limits", "RequiresHost"), "rtfs.machine"),
    **dict.fromkeys(("Source", "Span"), "rtfs.source"),
    **dict.fromkeys(("card", "compile", "error_data", "format_error", "read", "read_value", "start"), "rtfs.api"),
    **dict.fromkeys(("Decision", "PolicyRequest"), "rtfs.host.policy.policy"),
    **dict.fromkeys(("analyse", "certify", "check", "describe", "fix", "verify_certificate"), "rtfs.checks"),
    "ApprovalRequest": "rtfs.host.calls.approvals",
    "CapabilityManifest": "rtfs.capabilities.manifest",
    "CedarPolicy": "rtfs.host.policy.cedar",
    "Environment": "rtfs.compiler",
    "Record": "rtfs.host.audit.ledger",
    "idempotency_key": "rtfs.host.durable.flush",
    "ResumeOptions": "rtfs.host.run.options",
    "RunHandle": "rtfs.host.handle",
    "RunOptions": "rtfs.host.run.options",
    "Runtime": "rtfs.host.runtime",
    "RuntimeOptions": "rtfs.host.runtime_options",
    "to_text": "rtfs.syntax.printer",
}

__all__ = [
    "ApprovalRequest",
    "Cancelled",
    "CapabilityManifest",
    "CedarPolicy",
    "CompileError",
    "Complete",
    "Decision",
    "Environment",
    "EvalError",
    "HostCall",
    "HostError",
    "InternalError",
    "Keyword",
    "LimitError",
    "Limits",
    "List",
    "Map",
    "PolicyRequest",
    "ReaderError",
    "Record",
    "Regex",
    "RequiresHost",
    "ResumeOptions",
    "RtfsError",
    "RunHandle",
    "RunOptions",
    "Runtime",
    "RuntimeOptions",
    "Set",
    "Source",
    "Span",
    "Symbol",
    "TypeMismatch",
    "UserError",
    "Vector",
    "analyse",
    "card",
    "certify",
    "check",
    "compile",
    "describe",
    "equal",
    "error_data",
    "fix",
    "format_error",
    "from_python",
    "idempotency_key",
    "read",
    "read_value",
    "start",
    "to_python",
    "to_text",
    "verify_certificate",
]


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'rtfs' has no attribute {name!r}")
    value = getattr(__import__(where, fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
