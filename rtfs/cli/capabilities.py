"""`rtfs capabilities list|show`: what a program could call."""

from __future__ import annotations

from rtfs.cli import wiring
from rtfs.cli.output import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.manifest import CapabilityManifest
    from rtfs.cli.options import Options


def capabilities(options: Options) -> int:
    """List all capabilities, or show one. Raises HostError `capability/unknown`."""
    with wiring.runtime(options) as runtime:
        known = runtime.capabilities
        if options.action == "show":
            manifest = known.get(options.id)
            if manifest is None:
                raise known.unknown(options.id)
            write(_as_json(manifest) if options.json else _as_text(manifest))
        elif options.json:
            import json

            write(json.dumps([_plain(manifest) for manifest in known.values()], ensure_ascii=False))
        else:
            width = max((len(id) for id in known), default=0)
            for id, manifest in known.items():
                write(f"{id:<{width}}  {manifest.description}".rstrip())
    return 0


def _plain(manifest: CapabilityManifest) -> dict[str, Any]:
    from rtfs.syntax.printer import to_text

    fields = manifest.model_dump(exclude={"implementation", "input_schema", "output_schema"}, exclude_defaults=True)
    for name in ("input_schema", "output_schema"):
        schema = getattr(manifest, name)
        if schema is not None:
            fields[name] = to_text(schema)
    return fields


def _as_json(manifest: CapabilityManifest) -> str:
    import json

    return json.dumps(_plain(manifest), ensure_ascii=False, indent=2)


def _as_text(manifest: CapabilityManifest) -> str:
    from rtfs.syntax.printer import to_text
    from rtfs.values import from_python

    lines = []
    for name, value in _plain(manifest).items():
        if name == "metadata":
            continue
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key} = {to_text(from_python(item))}" for key, item in value.items())]
        elif isinstance(value, (list, tuple)):
            lines.append(f"{name}: {' '.join(map(str, value))}")
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)
