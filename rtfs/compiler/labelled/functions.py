"""Labelled closures of functions and definitions; a top-level form is a function of no arguments.

Knows nothing of standard functions. A function is a Python function with the name, parameters and place that generated
code would give it; called by labelled code it finds the tags of its arguments in the state, and leaves the tag of its
value there; called by other code it takes them from the surrounding labels (see `rtfs.flow.state`). Its code is a
template:

    def fn(a, b, /, *more):                                     # free variables: `enter`, `parent`
        return enter(parent, [a, b], more)
"""

from __future__ import annotations

from types import CellType, FunctionType

from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.frames import FIRST, GLOBALS, METHOD, Layout, Template
from rtfs.compiler.closures.functions import code_of, dispatcher_of
from rtfs.compiler.codegen.support import defined, rest_list
from rtfs.compiler.labelled.maker import LabelledMaker, labels
from rtfs.compiler.labelled.unlabelled import ROUNDS, region_of_function
from rtfs.compiler.mangling import global_name, tag_name
from rtfs.flow.label import NOTHING, join
from rtfs.flow.state import current
from rtfs.flow.tag import NO_TAG, UNKNOWN_TAG, Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from rtfs.compiler.labelled.maker import Frame, Labelled
    from rtfs.compiler.labelled.unlabelled import Region
    from rtfs.flow.state import FlowState


class LabelledFunction(Template):
    """One function of the text, of which each evaluation makes an instance."""

    __slots__ = ("calls", "code", "core", "count", "form", "life", "listed", "region", "rest", "run", "ticks")

    def __init__(
        self,
        maker: LabelledMaker,
        node: nodes.Fn,
        python: str,
        listed: bool = False,
        form: bool = False,
        own: str | None = None,
    ) -> None:
        """own: the key in the module that it is defined as, if it is. listed: its last parameter gets what is left as
        one list, for a function of several arities. form: it is a top-level form, which no code without labels
        calls."""
        (arity,) = node.arities
        outer = maker.layout
        self.layout = maker.layout = Layout(outer)
        parameters = [*arity.params, *([arity.rest] if arity.rest is not None else [])]
        for one in parameters:
            maker.slot(one)
        self.run: Labelled = maker.make(arity.body)
        self.layout.close(len(parameters))
        maker.layout = outer
        self.core, self.life = maker.core, maker.life
        self.ticks = node.ticks and arity.body.__class__ is not nodes.Loop
        self.count = len(arity.params)
        self.rest = arity.rest is not None
        self.listed = listed
        self.form = form
        self.calls = 0
        self.region = None if form or listed else region_of_function(maker, node, own)
        self.code = _template(self, maker, node, python)

    def enter(self, parent: Frame, values: list[Any], more: tuple[Any, ...]) -> Any:
        """The value of a call."""
        s = current()
        tags, s.passed = [] if self.form else s.passed, None
        plain = tags is None
        count = self.count
        if tags is None:
            common = s.given()
            tags = [common] * (count + len(more))
        if self.region is not None:
            self.calls += 1
            if self.calls > ROUNDS and self._is_clean(self.region, parent[GLOBALS], tags):
                value, tag = self.region.run(s, parent[GLOBALS], values)
                if plain:
                    s.leave(tag)
                else:
                    s.returned = tag
                return value
        if self.listed:
            rest = tags[count - 1 :]
            tags = [*tags[: count - 1], Tag(NOTHING, NOTHING, rest) if len(rest) > 1 or not plain else rest[0]]
        pairs: list[Any] = list(zip(values, tags, strict=False))
        if self.rest:
            pairs.append((rest_list(more), Tag(NOTHING, NOTHING, tags[count:]) if more else NO_TAG))
        frame = [parent[GLOBALS], parent, *pairs] + self.layout.padding
        if self.ticks:
            core = self.core
            for _ in core[" ticks"]:
                break
            else:
                core[" refill"]()
                for _ in core[" ticks"]:
                    break
        around, s.around = s.around, None
        pc = s.pc
        if plain:  # how often code without labels calls it, and whether, all decides that this code was given
            s.pc = join(pc, common.everything())
        try:
            value, tag = self.run(frame, s)
        finally:
            s.around, s.pc = around, pc
        if plain:
            s.leave(tag)
        else:
            s.returned = tag
        return value

    def _is_clean(self, region: Region, namespace: dict[str, Any], tags: list[Tag]) -> bool:
        """Whether all that a call reads comes from constants; its own name as well."""
        own = region.own
        if own is not None:
            named = namespace.get(own)
            if getattr(named, "__code__", None) is not self.code:  # it was defined again
                return False
            if not region.clean(namespace.get(tag_name(own), UNKNOWN_TAG)):
                return False
        return all(map(region.clean, tags))

    def instance(self, parent: Frame) -> Any:
        """The function, made by a call whose frame is `parent`."""
        cells = (CellType(self.enter), CellType(parent))
        made = FunctionType(self.code, parent[GLOBALS], self.code.co_name, None, cells)
        made.carries_labels = True  # type: ignore[attr-defined]
        return made


def _template(function: LabelledFunction, maker: LabelledMaker, node: nodes.Fn, python: str) -> CodeType:
    base = _TEMPLATES.get((function.count, function.rest))
    if base is None:
        base = _TEMPLATES[function.count, function.rest] = _base(function.count, function.rest)
    return code_of(base, maker, node, python, (METHOD, " parent"))


_TEMPLATES: dict[tuple[int, bool], CodeType] = {}


def _base(count: int, rest: bool) -> CodeType:
    names = [f"a{index}" for index in range(count)]
    parameters = [*names, "/"] if count else []
    if rest:
        parameters.append("*more")
    text = f"""
def make(enter, parent):
 def fn({", ".join(parameters)}):
  return enter(parent, [{", ".join(names)}], {"more" if rest else "()"})
 return fn
"""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<template>", "exec"), namespace)
    code: CodeType = namespace["make"](None, []).__code__
    return code


# ---------------------------------------------------------------------- fn, def
@labels(nodes.Fn)
def label_fn(m: LabelledMaker, node: nodes.Fn) -> Labelled:
    return _make_function(m, node, m.names.temporary())


def _make_function(m: LabelledMaker, node: nodes.Fn, python: str, own: str | None = None) -> Labelled:
    """python: the name of a function that has no local name. own: the key in the module that it is defined as."""
    index = 0
    if node.binding is not None:
        python = node.binding.python
        index = m.slot(node.binding)
    if len(node.arities) > 1:
        return _make_dispatcher(m, node, python, index)
    instance = LabelledFunction(m, node, python, own=own).instance

    def fn(f: Frame, s: FlowState) -> Any:
        pair = (instance(f), NO_TAG)
        if index:
            f[index] = pair
        return pair

    return fn


def _make_dispatcher(m: LabelledMaker, node: nodes.Fn, python: str, index: int) -> Labelled:
    instance = dispatcher_of(m, node, python, lambda one, name, listed: LabelledFunction(m, one, name, listed).instance)

    def fn(f: Frame, s: FlowState) -> Any:
        made = instance(f)
        made.carries_labels = True
        pair = (made, NO_TAG)
        if index:
            f[index] = pair
        return pair

    return fn


@labels(nodes.Def)
def label_def(m: LabelledMaker, node: nodes.Def) -> Labelled:
    key = global_name(node.name)
    tag = tag_name(key)
    if isinstance(node.value, nodes.Fn) and node.value.binding is None:
        value = _make_function(m, node.value, key, key)
    else:
        value = m.make(node.value)
    last = node in m.last

    def def_(f: Frame, s: FlowState) -> Any:
        made, label = value(f, s)
        f[0][key] = made
        f[0][tag] = label.decided(s.pc)
        return (defined(made), label) if last else (made, label)

    return def_


def _last_definitions(node: nodes.Node) -> list[nodes.Node]:
    """The definitions whose value is that of the form."""
    if isinstance(node, nodes.If):
        return _last_definitions(node.then) + _last_definitions(node.orelse)
    if isinstance(node, nodes.Do):
        return _last_definitions(node.body[-1])
    return [node] if isinstance(node, nodes.Def) else []


def form_function(m: LabelledMaker, node: nodes.Node, name: str) -> LabelledFunction:
    """A top-level form as a function of no arguments."""
    m.last = _last_definitions(node)
    m.defines = any(isinstance(one, nodes.Def) for one in nodes.walk(node) if one is not node)
    fn = nodes.Fn(node.at, name, [nodes.Arity(node.at, [], None, node)], None, False)
    return LabelledFunction(m, fn, name, form=True)


assert FIRST == 2, "`enter` makes frames"
