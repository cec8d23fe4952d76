"""The mark that tells template symbols from symbols a macro's caller wrote."""

from __future__ import annotations


class TemplateMark:
    """Stands in a symbol's `info`: the symbol comes from a macro template of `module`. Equality ignores it, so marked
    symbols are ordinary data; the analyser lets one mean the definition of that module, if there is one."""

    __slots__ = ("meta", "module")

    def __init__(self, module: str) -> None:
        self.module = module
        self.meta = None
