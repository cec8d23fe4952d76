"""Code generation of versions: a function of the program that changes its first argument in place.

A version gets its arguments and the debt of the first one (see accumulators.py), and returns that argument, changed,
with the debt that is left. It is part of the form that calls it, so that functions which nothing calls with what it
owns have none. Knows nothing of forms. Invariant: the value is that of the function itself, and as long as there is a
debt nothing of the caller's is changed.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.ownership import ANY
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emit_each import update
from rtfs.compiler.codegen.emitter import Emitter, FormGenerator


def version_in_place(form: FormGenerator, traits: nodes.Traits) -> str:
    """The global that holds the version of a function that changes its first argument (`Traits.changes`)."""
    return form.version(form.versions, traits, _define)


def _define(form: FormGenerator, traits: nodes.Traits, name: str) -> None:
    fn = traits.fn
    arity, line = fn.arities[0], fn.at + 1
    accumulator = arity.params[0]
    e = Emitter(form)
    debt = form.names.temporary()
    parameters = [*[one.python for one in arity.params], debt]
    e.stores.update(parameters)
    e.debts[accumulator] = debt
    form.lent.add(accumulator)

    def body() -> None:
        update(e, arity.body, accumulator, ANY)
        e.loads.add(accumulator.python)
        result = py.pack([py.name(accumulator.python, line), py.name(debt, line)], line)
        e.block.append(py.give(result, line))

    if fn.ticks and not isinstance(arity.body, nodes.Loop):
        e.blocks = 2
        inside = e.nested(body)
        refill = py.statement(py.call(" refill", [], line), line)
        e.block.append(py.forever([py.each_tick(inside, [], line), refill], line))
    else:
        body()
    form.definitions.append(py.define(name, parameters, None, [], e.block, line))
