"""The console's templates and files, and how times and numbers are written in them.

Must not know HTTP. Invariant: every value is escaped; no template marks anything as safe.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from time import localtime, strftime, time

from jinja2 import DictLoader, Environment, StrictUndefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TYPES = {"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8"}
_HERE = files("rtfs.serve.console")


def page(template: str, **values: Any) -> str:
    """The text of a page."""
    return _environment().get_template(template).render(**values)


def file_of(name: str) -> tuple[bytes, str] | None:
    """A file that pages load, with its media type; None for any other."""
    media_type = _TYPES.get(name)
    return None if media_type is None else (_HERE.joinpath("static", name).read_bytes(), media_type)


@cache
def _environment() -> Environment:
    templates = {
        one.name: one.read_text(encoding="utf-8")
        for one in _HERE.joinpath("templates").iterdir()
        if one.name.endswith(".html")
    }
    made = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(moment=moment, iso=iso, span=span)
    return made


def moment(seconds: float) -> str:
    """A moment for people: the time of day, with the date where it is not today."""
    then, now = localtime(seconds), localtime(time())
    return strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d %H:%M", then)


def iso(seconds: float) -> str:
    """A moment as ISO 8601."""
    return strftime("%Y-%m-%dT%H:%M:%S%z", localtime(seconds))


def span(seconds: float) -> str:
    """A length of time for people."""
    if seconds < 1:
        return f"{seconds * 1_000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
