"""`CapabilityManifest`: a declaration as the public, immutable pydantic model that other people's code holds on to.

Must not know how a capability is called. Invariant: built from checked `Fields` only, and imported (with pydantic) only
when a manifest is first used: plain Python capabilities and the prelude run without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from rtfs.capabilities.declaration import Fields


class CapabilityManifest(BaseModel):
    """One capability, as declared (capabilities.md, "A declaration").

    `metadata` is the nested view and `flat_metadata` the flattened one (`mcp_requires_session`); both are plain Python
    data. `input_schema`, `output_schema` are RTFS type expressions, or None where anything goes. `permissions`,
    `effects`, `domains`, `categories` are names without colons. `origin`: plan, file, config, embedder or builtin, by
    growing trust. `idempotent`, `session_scope` (principal, run, call) and `session_restorable`: None where the
    declaration does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: str = Field(min_length=1)
    name: str = ""
    version: str = ""
    description: str = ""
    provider: str | None = None
    provider_meta: dict[str, Any] = Field(default_factory=dict)
    permissions: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)
    flat_metadata: dict[str, Any] = Field(default_factory=dict)
    input_schema: Any = None
    output_schema: Any = None
    idempotent: bool | None = None
    session_scope: str | None = None
    session_restorable: bool | None = None
    deprecated: bool | str = False
    implementation: Any = Field(default=None, repr=False)
    origin: str = "plan"


def from_fields(fields: Fields, origin: str) -> CapabilityManifest:
    """The manifest of a checked declaration."""
    from rtfs.values.convert import to_python

    return CapabilityManifest(
        id=fields.id,
        name=fields.name or fields.id,
        version=fields.version,
        description=fields.description,
        provider=fields.provider,
        provider_meta={} if fields.provider_meta is None else to_python(fields.provider_meta),
        permissions=fields.permissions,
        effects=fields.effects,
        domains=fields.domains,
        categories=fields.categories,
        metadata={} if fields.metadata is None else to_python(fields.metadata),
        flat_metadata={key: to_python(value) for key, value in fields.flat_metadata.items()},
        input_schema=fields.input_schema,
        output_schema=fields.output_schema,
        idempotent=fields.idempotent,
        session_scope=fields.session_scope,
        session_restorable=fields.session_restorable,
        deprecated=fields.deprecated,
        implementation=fields.implementation,
        origin=origin,
    )
