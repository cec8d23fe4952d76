"""Marks that tell symbols of macro templates from symbols that a macro's caller wrote, and expansions from forms in the
text."""

from __future__ import annotations

from rtfs.values.info import FormInfo


class TemplateMark:
    """The `info` of a symbol that comes from a macro template of `module`. Equality ignores it, so marked
    symbols are ordinary data; the analyser lets one mean the definition of that module, if there is one."""

    __slots__ = ("meta", "module")

    def __init__(self, module: str) -> None:
        self.module = module
        self.meta = None


class ExpandedInfo(FormInfo):
    """The note of a form that a macro made: the place of the macro's use, with its index in the unit as `at`."""

    __slots__ = ("at",)

    def __init__(self, used: FormInfo, at: int) -> None:
        super().__init__(used.source, used.start, used.end, meta=used.meta)
        self.at = at
