"""`rtfs describe [ID…|FILE…]`: capabilities and programs as a model writes calls of them."""

from __future__ import annotations

import os

from rtfs.cli import wiring
from rtfs.cli.output import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options


def describe(options: Options) -> int:
    """Describe what the options name. Raises HostError `capability/unknown`, `file/…`."""
    import json

    from rtfs.cli.check import program_files
    from rtfs.host.describe import describe_capabilities, describe_program
    from rtfs.host.files import read_source

    files = [one for one in options.files if one.endswith(".rtfs") or os.path.exists(one)]
    ids = [one for one in options.files if one not in files]
    with wiring.runtime(options, asks=False) as runtime:
        programs = [describe_program(runtime, read_source(path)) for file in files for path in program_files(file)]
        found = describe_capabilities(runtime, ids) if ids or not files else []
    if options.json or options.json_schema:
        data: list[dict[str, Any]] = [*programs, *[one.to_json(options.json_schema) for one in found]]
        write(json.dumps(data, ensure_ascii=False))
        return 0
    for program in programs:
        write(_program(program))
    for one in found:
        write(one.text())
    return 0


def _program(found: dict[str, Any]) -> str:
    lines = [found["file"]]
    if plan := found.get("plan"):
        lines.append(f"  plan {plan['name']}" + (f": {plan['description']}" if plan["description"] else ""))
        for one in plan["parameters"]:
            default = f" = {one['default']}" if "default" in one else ""
            text = f"  {one['description']}" if "description" in one else ""
            lines.append(f"    {one['name']} {one['type']}{default}{text}")
        if "result" in plan:
            lines.append(f"    gives {plan['result']}")
    lines += [f"  {one}" for one in found["functions"]]
    for one in found["effects"]:
        most = one["at_most"]
        often = "any number of times" if most is None else f"at most {most} time{'' if most == 1 else 's'} a run"
        lines.append(f"  calls {one['id']}, {often}")
    if found["computed"]:
        lines.append("  calls capabilities whose ids are computed")
    if not found["effects"] and not found["computed"]:
        lines.append("  calls no capability")
    if found["errors"]:
        lines.append(f"  has {found['errors']} error{'' if found['errors'] == 1 else 's'}: rtfs check tells them")
    return "\n".join(lines)
