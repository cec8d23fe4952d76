"""Closures of functions and definitions; a top-level form is a function of no arguments.

Knows nothing of how hot code is compiled. An RTFS function is a Python function here too, with the name, parameters and
place that it would have in generated code, so that arity errors, traces and printing are the same. Its code is a
template for its number of parameters:

    def fn(a, b, /):                              # free variables: body, calls, filling, hot; and `parent`
        for _ in calls:                           # an iterator of the calls left until it is hot
            while True:
                for _ in ticks:
                    return body([parent[0], parent, a, b] + filling)
                refill()
        return hot(parent)(a, b)                  # compile; every instance gets the new code

Invariants: the code of all instances of one function is the same, and has as many free variables, `parent` the last;
code has no constants of ours: Python's collector does not look into code, so what leads back to it stays forever.
"""

from __future__ import annotations

from itertools import repeat
from types import CellType, FunctionType
from weakref import ref

from rtfs.builtins.declare import MISSING
from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures import hot
from rtfs.compiler.closures.frames import FIRST, GLOBALS, METHOD, Layout, Template
from rtfs.compiler.closures.maker import Maker, makes
from rtfs.compiler.codegen.emit_functions import dispatcher
from rtfs.compiler.codegen.support import defined
from rtfs.compiler.mangling import global_name, plain_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from rtfs.compiler.closures.maker import Closure, Frame


class Function(Template):
    """One function of the text, of which each evaluation makes an instance.

    code: what instances run. cells: of its first free variables; not of `hot`, which leads back to it: what is in no
    cycle goes away with the last instance, without Python's collector. calls: an iterator of the calls left, and
    instances left, until it is compiled. instances: the ones made so far, to be switched; once it is compiled, what the
    code needs is in `pool`.
    """

    __slots__ = ("calls", "cells", "code", "instances", "maker", "node", "pool", "python")

    def __init__(self, maker: Maker, node: nodes.Fn, python: str) -> None:
        self.maker = maker
        self.node = node
        self.python = python
        self.pool: hot.Pool | None = None
        self.instances: list[ref[FunctionType]] = []
        self.calls = repeat(None, hot.CALLS)
        (arity,) = node.arities
        outer = maker.layout
        self.layout = maker.layout = Layout(outer, self.calls)
        parameters = [*arity.params, *([arity.rest] if arity.rest is not None else [])]
        for one in parameters:
            maker.slot(one)
        body = maker.make(arity.body)
        self.layout.close(len(parameters))
        maker.layout = outer
        ticks = node.ticks and arity.body.__class__ is not nodes.Loop
        self.code = _template(len(arity.params), arity.rest is not None, ticks, self)
        self.cells = tuple([CellType(value) for value in (body, self.calls, self.layout.padding)])

    def uncounted(self) -> CodeType:
        """The code for a function that cannot be compiled."""
        self.cells[CALLS].cell_contents = repeat(None)
        return self.code

    def instance(self, parent: Frame) -> Any:
        """The function, made by a call whose frame is `parent`."""
        namespace = parent[GLOBALS]
        if self.pool is not None:
            self.pool.install(namespace)
        cells = (*self.cells, CellType(self.switch), CellType(parent))
        made = FunctionType(self.code, namespace, self.code.co_name, None, cells)
        if self.pool is None:
            self.instances.append(ref(made))
            for _ in self.calls:
                break
            else:
                self.switch(parent)
        return made

    def switch(self, parent: Frame) -> Any:
        """Compile the function, switch its instances; answers it as one made by the call of frame `parent`."""
        if self.pool is None:
            pool = hot.compile_function(self)
            self.pool = pool
            self.code = pool.code
            for reference in self.instances:
                made = reference()
                if made is not None:
                    pool.install(made.__globals__)
                    made.__code__ = pool.code
            self.instances.clear()
        return self.instance(parent)


def _template(count: int, rest: bool, ticks: bool, function: Function) -> CodeType:
    """The code of a function of so many parameters."""
    base = _TEMPLATES.get((count, rest, ticks))
    if base is None:
        base = _TEMPLATES[count, rest, ticks] = _base(count, rest, ticks)
    return code_of(base, function.maker, function.node, function.python, _FREE)


def code_of(base: CodeType, maker: Maker, node: nodes.Fn, python: str, free: tuple[str, ...]) -> CodeType:
    """A template with the name, parameters and place of a function. free: names of its free variables."""
    arity = node.arities[0]
    names = tuple([one.python for one in arity.params]) + ((arity.rest.python,) if arity.rest is not None else ())
    return base.replace(
        co_varnames=names + base.co_varnames[len(names) :],
        co_freevars=free,
        co_name=python,
        co_qualname=python,
        co_filename=maker.filename,
        co_firstlineno=node.at + 1,
    )


_GLOBALS = frozenset(("ticks", "refill", "rest_list"))
_TEMPLATES: dict[tuple[int, bool, bool], CodeType] = {}
CALLS = hot.FREE.index("calls")
_FREE = tuple([METHOD if name == "hot" else f" {name}" for name in hot.FREE])
"""As no parameter is called."""


def _base(count: int, rest: bool, ticks: bool) -> CodeType:
    names = [f"a{index}" for index in range(count)]
    parameters = [*names, "/"] if count else []
    frame = ["parent[0]", "parent", *names]
    given = list(names)
    if rest:
        parameters.append("*more")
        frame.append("more")
        given.append("*(more or ())")
    collect = "\n  more = rest_list(more)" if rest else "\n  pass"
    body = f"return body([{', '.join(frame)}] + filling)"
    if ticks:
        body = f"while True:\n    for _ in ticks: {body}\n    refill()"
    text = f"""
def make({", ".join(hot.FREE)}):
 def fn({", ".join(parameters)}):{collect}
  for _ in calls:
   {body}
  return hot(parent)({", ".join(given)})
 return fn
"""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<template>", "exec"), namespace)
    code: CodeType = namespace["make"](*hot.FREE).__code__
    assert code.co_freevars == hot.FREE
    return code.replace(co_names=tuple([f" {name}" if name in _GLOBALS else name for name in code.co_names]))


@makes(nodes.Fn)
def make_fn(m: Maker, node: nodes.Fn) -> Closure:
    return _make_function(m, node, m.names.temporary())


def _make_function(m: Maker, node: nodes.Fn, python: str) -> Closure:
    """python: the name of a function that has no local name."""
    index = 0
    if node.binding is not None:
        python = node.binding.python
        index = m.slot(node.binding)
    if len(node.arities) > 1:
        instance = dispatcher_of(m, node, python, lambda one, name, listed: Function(m, one, name).instance)
    else:
        instance = Function(m, node, python).instance
    if not index:
        return instance

    def fn(f: Frame) -> Any:
        f[index] = made = instance(f)
        return made

    return fn


def dispatcher_of(
    m: Maker, node: nodes.Fn, python: str, part: Callable[[nodes.Fn, str, bool], Callable[[Frame], Any]]
) -> Callable[[Frame], Any]:
    """A maker of a function with several arities: each arity is a function, and generated code chooses between them.

    part: what makes the function of one arity, by its node and name; told whether its last parameter gets what is left
    as one list.
    """
    parts = []
    for arity in node.arities:
        listed = arity.rest is not None
        if arity.rest is not None:
            arity = nodes.Arity(arity.at, [*arity.params, arity.rest], None, arity.body)
        name = f"{plain_name(python) or node.name} /{len(arity.params)}{m.names.temporary()}"
        parts.append(part(nodes.Fn(node.at, node.name, [arity], None, node.ticks), name, listed))
    names = [f" part{number}" for number in range(len(parts))]
    code = hot.compile_inner(m, dispatcher(node, python, names, node.at + 1), names)
    order = [names.index(name) for name in code.co_freevars]
    defaults = (MISSING,) * code.co_posonlyargcount

    def instance(f: Frame) -> Any:
        cells = tuple([CellType(parts[number](f)) for number in order])
        return FunctionType(code, f[GLOBALS], python, defaults, cells)

    return instance


@makes(nodes.Def)
def make_def(m: Maker, node: nodes.Def) -> Closure:
    key = global_name(node.name)
    if isinstance(node.value, nodes.Fn) and node.value.binding is None:
        value = _make_function(m, node.value, key)
    else:
        value = m.make(node.value)

    def def_(f: Frame) -> Any:
        f[0][key] = made = value(f)
        return made

    def last_def(f: Frame) -> Any:
        return defined(def_(f))

    return last_def if node in m.last else def_


def _last_definitions(node: nodes.Node) -> list[nodes.Node]:
    """The definitions whose value is that of the form."""
    if isinstance(node, nodes.If):
        return _last_definitions(node.then) + _last_definitions(node.orelse)
    if isinstance(node, nodes.Do):
        return _last_definitions(node.body[-1])
    return [node] if isinstance(node, nodes.Def) else []


def form_function(m: Maker, node: nodes.Node, name: str) -> Function:
    """A top-level form as a function of no arguments."""
    m.last = _last_definitions(node)
    return Function(m, nodes.Fn(node.at, name, [nodes.Arity(node.at, [], None, node)], None, False), name)


assert FIRST == 2, "the templates make frames"
