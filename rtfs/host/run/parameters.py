"""The parameters of a run: what a caller gives to the `plan` of a program, as the plan declares them.

Must not know who calls. Invariant: a program without a `plan` takes no parameters; whether one is missing, unknown or
of the wrong type the plan itself says, when it begins, and `check_parameters` says it before that in the same words.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.compiler import Environment
    from rtfs.source import Source
    from rtfs.values import Map


UNFITTED = " unfitted parameters"
"""The context value of parameters as they were given, until the worker process of the run has looked at its plan."""


def parameters_for(source: Source, environment: Environment, given: Map) -> Map:
    """Given parameters as a program's plan wants them. Raises HostError `plan/parameter` for a program that declares
    none."""
    from rtfs.checker.plans import declared_plan
    from rtfs.compiler.analyse import analyse_source

    program = analyse_source(source, environment)
    plan = declared_plan(program)
    if plan is not None:
        return plan.fitted(given)
    if program.errors:  # the program is refused for them
        return given
    raise HostError(
        f"{source.name} declares no parameters",
        code="plan/parameter",
        hint='a program with parameters ends in (plan "name" {:params {:n :int}} body)',
    )


def check_parameters(source: Source, environment: Environment, given: Map | None) -> None:
    """Refuse what a program's plan would refuse when it begins: parameters that are missing, unknown or of the wrong
    type. given: None for none. Raises UserError `plan/parameter`, `type/…`."""
    from rtfs.checker.plans import declared_plan
    from rtfs.compiler.analyse import analyse_source
    from rtfs.compiler.codegen.support import plan_parameters
    from rtfs.values import Map, Vector

    program = analyse_source(source, environment)
    plan = declared_plan(program)
    if plan is None or program.errors:  # it has none, or is refused for them
        return
    fields = plan.input.fields
    names = Vector([field.key.name for field in fields])
    missing_is_fine = Map([(field.key, None) for field in fields if field.optional])
    all_of_them = plan_parameters(plan.name, given, names, missing_is_fine)
    for field in fields:
        if given is not None and field.key in given:
            field.type.check(all_of_them.get(field.key), f"parameter {field.key.name}")
