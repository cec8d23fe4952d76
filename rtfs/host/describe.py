"""Capabilities and programs described for a model: how a call is written, of what, with what effects.

Must not know terminals. Invariant: a signature reads as a call; what is not declared is shown as `any`, never left out
silently.
"""

from __future__ import annotations

from rtfs.values import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs.capabilities.declaration import Fields
    from rtfs.checker.plans import Plan
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source
    from rtfs.types.record import Record


class Description:
    """One capability. signature: `(call "id" {:key type, :other? type}) → type`. parameters: name, type and whether it
    may be left out, with a description where the schema has one. effects, permissions: as declared."""

    __slots__ = ("about", "effects", "id", "input_type", "output_type", "parameters", "permissions", "signature")

    def __init__(self, fields: Fields) -> None:
        from rtfs.syntax.printer import to_text

        self.id = fields.id
        self.about = fields.description
        self.effects = list(fields.effects)
        self.permissions = list(fields.permissions)
        self.parameters = _parameters(fields)
        self.input_type = fields.input_type
        self.output_type = fields.output_type
        result = "any" if fields.output_schema is None else to_text(fields.output_schema)
        self.signature = f"{_call(fields, self.parameters)} → {result}"

    def text(self) -> str:
        """The description in a few lines."""
        lines = [self.signature]
        if self.about:
            lines.append(f"  {' '.join(self.about.split())}")
        for one in self.parameters:
            if one.get("description"):
                lines.append(f"  :{one['name']}  {' '.join(one['description'].split())}")
        if self.effects:
            lines.append(f"  effects: {' '.join(self.effects)}")
        if self.permissions:
            lines.append(f"  needs: {' '.join(self.permissions)}")
        return "\n".join(lines)

    def to_json(self, json_schema: bool = False) -> dict[str, Any]:
        """The description as data. json_schema: with the schemas as JSON Schema."""
        found: dict[str, Any] = {"id": self.id, "signature": self.signature, "parameters": self.parameters}
        for name in ("about", "effects", "permissions"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        if json_schema:
            from rtfs.types.to_schema import to_json_schema

            for name, type in (("input_schema", self.input_type), ("output_schema", self.output_type)):
                if type is not None:
                    found[name] = to_json_schema(type)
        return found


def describe_capabilities(runtime: Runtime, ids: Sequence[str] = ()) -> list[Description]:
    """The capabilities of these ids or patterns, by id. Raises HostError `capability/unknown`."""
    from rtfs.host.inspection import declared
    from rtfs.host.policy.grants import glob

    registry = runtime._registry
    known = sorted(registry.ids())
    wanted: dict[str, None] = {}
    for id in ids or ("*",):
        found = [id] if registry.find(id) is not None else [one for one in known if glob(id, one)]
        if not found:
            raise registry.unknown(id)
        wanted.update(dict.fromkeys(found))
    fields = [declared(runtime, id) for id in wanted]
    return [Description(one) for one in fields if one is not None]


def describe_program(runtime: Runtime, source: Source) -> dict[str, Any]:
    """The description of a program for its callers, as data: its plan, if it declares one, its functions, the
    capabilities that it can call, and the highest number of calls of each in one run."""
    from rtfs.host.checks.verdicts import verdicts

    report = verdicts(runtime, source)
    bounds = {call.id: call.at_most for call in report.calls if call.id is not None}
    return {
        "file": source.name,
        **({} if report.analysis.plan is None else {"plan": _plan(report.analysis.plan)}),
        "functions": [one for form in report.analysis.forms for one in _functions(form)],
        "effects": [{"id": id, "at_most": bounds[id]} for id in sorted(bounds)],
        "computed": any(call.id is None for call in report.calls),
        "errors": len(report.errors),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    from rtfs.syntax.printer import to_text

    parameters = parameters_of(plan.input)
    for one in parameters:
        if "default" in one:
            one["default"] = to_text(one["default"])
    found: dict[str, Any] = {"name": plan.name, "description": plan.text, "parameters": parameters}
    return found if plan.result is None else {**found, "result": to_text(plan.result.form)}


def _functions(form: Any) -> list[str]:
    """The functions that a form of the text itself defines, as they are called."""
    from rtfs.compiler.analysis.nodes import Def, Fn

    node = form.node
    span = form.unit.span(node.at)
    if not isinstance(node, Def) or not isinstance(node.value, Fn) or span is None or span.source.library:
        return []
    found = []
    for arity in node.value.arities:
        names = [one.name if one.name[:1].isalpha() else "value" for one in arity.params if not one.name.endswith("&")]
        more = [] if arity.rest is None else ["& more"]
        found.append(f"({' '.join([node.name, *names, *more])})")
    return found


def _parameters(fields: Fields) -> list[dict[str, Any]]:
    from rtfs.types.record import Record

    type = fields.input_type
    return parameters_of(type) if isinstance(type, Record) else []


def parameters_of(type: Record) -> list[dict[str, Any]]:
    """The parameters that a record of inputs has, as data."""
    from rtfs.syntax.printer import to_text

    found = []
    for one in type.fields:
        name = one.key.name if one.key.__class__ is Keyword else to_text(one.key)
        made: dict[str, Any] = {"name": name, "type": to_text(one.type.form), "optional": bool(one.optional)}
        made.update({key: value for key, value in one.about.items() if key in ("description", "default")})
        found.append(made)
    return found


def _call(fields: Fields, parameters: list[dict[str, Any]]) -> str:
    from rtfs.host.bundled.capabilities import SIGNATURES
    from rtfs.syntax.printer import to_text

    id = to_text(fields.id)
    if parameters:
        inside = " ".join([f":{one['name']}{'?' if one['optional'] else ''} {one['type']}" for one in parameters])
        return f"(call {id} {{{inside}}})"
    if fields.id in SIGNATURES:
        return f"(call {id} {' '.join(SIGNATURES[fields.id].names)})".replace(" )", ")")
    if fields.input_schema is not None:
        return f"(call {id} {to_text(fields.input_schema)})"
    return f"(call {id} any)"
