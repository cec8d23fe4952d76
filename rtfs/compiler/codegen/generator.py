"""Code generation for one top-level form: the Python module that holds it, as a code object.

Knows nothing of forms or scopes; importing it declares how every node is emitted. Invariant: everything generated code
can reach is a Python builtin of our choosing, a support function, a pooled constant, or a name of the module.
"""

from __future__ import annotations

import ast

import rtfs.compiler.codegen.emit_control
import rtfs.compiler.codegen.emit_each
import rtfs.compiler.codegen.emit_expressions
import rtfs.compiler.codegen.emit_loops
import rtfs.compiler.codegen.emit_try
import rtfs.compiler.codegen.sequences  # noqa: F401 - importing these modules declares how nodes are emitted
from rtfs.compiler.analysis.nodes import Def, Fn
from rtfs.compiler.codegen import pyast as py
from rtfs.compiler.codegen.emitter import MOST_PARTS, Destination, Emitter, FormGenerator, TooLarge
from rtfs.compiler.module import FORM, VALUE
from rtfs.compiler.recursion_limit import with_limit
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.nodes import Node
    from rtfs.compiler.analysis.scope import Names

# CPython's compiler recurses in C by the interpreter's limit: it gets the usual one, whatever guest code is allowed.
PYTHON_COMPILE_RECURSION = 1_000


def generate(analyser: Analyser, node: Node, names: Names | None = None) -> CodeType:
    """The code object of a top-level form: a Python module that defines `FORM`, a function of no arguments with the
    value of the node. Raises CompileError `limit/nesting` for what CPython cannot compile, TooLarge for what it would
    take long to.

    names: those that the form's locals have; the analyser's if None.
    """
    environment, module = analyser.environment, analyser.module
    analyser.unit.module = module.name
    form = FormGenerator(
        analyser.unit, names or analyser.names, module.name, lambda type: environment.check_type(type, module)
    )
    try:
        if form.names.begun and len(analyser.unit.unit.spans) - form.names.begun > MOST_PARTS * 2:
            raise TooLarge()
        return compile_tree(module_of(form, node), analyser.unit.unit.filename)
    except CompileError as error:
        raise analyser.error(error) from None


def compile_tree(tree: ast.Module, filename: str) -> CodeType:
    """The code object of a Python module. Raises CompileError `limit/nesting` for what CPython cannot compile."""
    try:
        code: CodeType = with_limit(
            PYTHON_COMPILE_RECURSION, lambda: compile(tree, filename, "exec", dont_inherit=True, optimize=0)
        )
        return code
    except (RecursionError, MemoryError, SyntaxError):
        raise CompileError(
            "limit/nesting",
            "the form is nested too deeply, or is too large, to be compiled",
            hint="move parts of it into separate functions",
        ) from None


def module_of(form: FormGenerator, node: Node) -> ast.Module:
    """The Python module of a top-level form, as a tree."""
    emitter = Emitter(form)
    emitter.plain_blocks = 1  # a form runs once, but for its loops
    form.defined = node if isinstance(node, Def) else None
    if form.defined is not None and _is_one_function(form.defined.value):
        emitter.into(node, Destination("set", VALUE))
        return ast.Module([*form.definitions, *emitter.block], [])
    emitter.into(node, Destination("return"))
    if len(emitter.block) > MOST_PARTS:
        raise TooLarge()
    body = emitter.block or [ast.Pass(lineno=1, col_offset=0)]
    if emitter.globals:
        body = [py.declare_global(sorted(emitter.globals), 1), *body]
    return ast.Module([*form.definitions, py.define(FORM, [], None, [], body, 1)], [])


def _is_one_function(node: Node) -> bool:
    """True for a function that needs no variables around it, as one of several arities does."""
    return isinstance(node, Fn) and node.binding is None and len(node.arities) == 1
