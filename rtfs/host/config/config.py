"""`rtfs.yaml`: what a configuration file may say, checked.

Must not know how a runtime is wired beyond the names of its arguments. Invariant: whatever is wrong with the file is
one UserError with the place in it (`config/yaml` for broken YAML, `config/invalid` for wrong content,
`config/missing`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from rtfs.host.config.errors import at_item, broken_yaml, invalid, place
from rtfs.host.policy.grants import Grants
from rtfs.paths import is_url
from rtfs.source import Source, Span
from rtfs.values import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs.capabilities.sessions.mcp.server_files import ServerTable


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitSettings(_Strict):
    """Limits of the machine; what is not given keeps its default. `isolation: process` runs plans in worker
    processes."""

    steps: PositiveInt | None = None
    depth: PositiveInt | None = None
    seconds: PositiveFloat | None = None
    output: PositiveInt | None = None
    memory: PositiveInt | None = None
    isolation: Literal["process"] | None = None


class RuleSettings(_Strict):
    """A rule: `match` a capability id, `when` argument → value; the first that fits decides. `for_run`: the
    person who is asked may say yes for the rest of the run."""

    match: str = Field(min_length=1)
    when: dict[str, Any] = Field(default_factory=dict)
    decide: Literal["allow", "deny", "approve"]
    reason: str | None = None
    for_run: bool = False


class QuotaSettings(_Strict):
    """The limits that all calls of matching capabilities in one run share: their number, bytes of arguments and
    results, seconds."""

    match: str = Field("*", min_length=1)
    calls: PositiveInt | None = None
    bytes: PositiveInt | None = None
    seconds: PositiveFloat | None = None


class PolicySettings(_Strict):
    """policy: level, how long an embedder's policy may take, host calls a run may make. cedar: files of Cedar policies,
    relative to the file."""

    level: Literal["minimal", "standard", "paranoid"] = "standard"
    timeout_ms: PositiveFloat = 50.0
    max_calls: PositiveInt | None = None
    cedar: list[str] = Field(default_factory=list)
    rules: list[RuleSettings] = Field(default_factory=list)
    quotas: list[QuotaSettings] = Field(default_factory=list)


class CertificateSettings(_Strict):
    """keys: files with the public keys (PEM) of those whose certificates count, relative to the file."""

    keys: list[str] = Field(default_factory=list)


class HintSettings(_Strict):
    """The most that hints may ask for."""

    retries: NonNegativeInt = 10
    delay_ms: NonNegativeFloat = 60_000
    timeout_ms: PositiveFloat = 600_000
    ttl_ms: NonNegativeFloat = 3_600_000
    cache_entries: PositiveInt = 1_000


class PoolSettings(_Strict):
    """Limits of the session pool; seconds, None for no limit."""

    sessions_per_key: PositiveInt = 1
    sessions_total: PositiveInt = 256
    calls_in_flight: PositiveInt = 64
    idle_seconds: PositiveFloat | None = 300.0
    age_seconds: PositiveFloat | None = 3600.0
    initialize_seconds: PositiveFloat = 120.0
    call_seconds: PositiveFloat | None = 120.0
    terminate_seconds: PositiveFloat = 5.0
    attempts: PositiveInt = 3
    retry_wait_seconds: NonNegativeFloat = 60.0


_SECURE = r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])[^\s]*$"
"""Addresses that secrets may be sent to."""


class AuthConfiguration(_Strict):
    """serve.auth: whose tokens count over HTTP. `issuer`; `audience`: the address of this server, as tokens name it;
    `jwks`: the address of the issuer's keys, for JWTs; or `introspection`: where the issuer is asked about each token
    (RFC 7662), with `client_id` and the secret in the environment variable `client_secret_env`; `required_scopes`:
    without which nothing is answered."""

    issuer: str = Field(pattern=r"^https?://[^\s]+$")
    audience: str = Field(pattern=r"^https?://[^\s]+$")
    jwks: str | None = Field(None, pattern=_SECURE)
    introspection: str | None = Field(None, pattern=_SECURE)
    client_id: str | None = Field(None, min_length=1)
    client_secret_env: str | None = Field(None, min_length=1)
    required_scopes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way(self) -> AuthConfiguration:
        if (self.jwks is None) == (self.introspection is None):
            raise ValueError("name either jwks or introspection")
        return self


class ScopeSettings(_Strict):
    """serve.scopes: the rights of a token's scope. `allow`: grants, a subset of the file's grants."""

    allow: list[str] = Field(default_factory=list)
    runs_per_minute: PositiveInt | None = None


class ServeSettings(_Strict):
    """serve: `rtfs mcp serve --http`. `hosts`: names that requests may use for this server; `origins`: of pages that
    may connect."""

    hosts: list[str] = Field(default_factory=list)
    origins: list[str] = Field(default_factory=list)
    auth: AuthConfiguration | None = None
    scopes: dict[str, ScopeSettings] = Field(default_factory=dict)


class Settings(_Strict):
    """The whole file. `load`: files of declarations, relative to the file; `module_path`: folders, likewise.
    `handlers`: options of session handlers, by name. `mcp_servers`: servers by name; `mcp_files`: files that name more
    (`.mcp.json`), relative to the file; so are `ledger`, `ledger_key`, `kv`, the file of `ccos.state.kv.*`, and
    `state`, the folder of durable runs, unless it is a database (`postgresql://…`). `strict_arguments`: whether keys
    that an input schema does not name are refused."""

    allow: list[str] = Field(default_factory=list)
    principal: str = Field("local", min_length=1)
    context: dict[str, Any] = Field(default_factory=dict)
    load: list[str] = Field(default_factory=list)
    module_path: list[str] = Field(default_factory=list)
    width: PositiveInt = 16
    ledger: str | None = None
    ledger_key: str | None = Field(None, min_length=1)
    kv: str | None = Field(None, min_length=1)
    state: str | None = Field(None, min_length=1)
    flow: list[dict[str, Any]] | dict[str, Any] = Field(default_factory=list)
    endorse: list[dict[str, Any]] = Field(default_factory=list)
    sequence: list[dict[str, Any]] = Field(default_factory=list)
    durability: Literal["kill", "power"] = "kill"
    strict_arguments: bool = True
    certificates: CertificateSettings = Field(default_factory=CertificateSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    hints: HintSettings = HintSettings()
    pool: PoolSettings = PoolSettings()
    handlers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    mcp_servers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    mcp_files: list[str] = Field(default_factory=list)
    serve: ServeSettings = ServeSettings()


class Config:
    """Checked settings and the folder that their paths are relative to."""

    def __init__(self, settings: Settings, folder: Path, source: Source) -> None:
        self.settings = settings
        self.folder = folder
        self.source = source

    def servers(self, files: Iterable[str | Path] = ()) -> ServerTable | None:
        """The MCP servers named here, in the files named here and in `files` (which win); None if there are none.

        Raises HostError `config/…`."""
        from rtfs.capabilities.sessions.mcp.server_files import ServerTable, read_servers
        from rtfs.host.files import read_source

        settings = self.settings
        table = ServerTable()
        for file in files:
            read_servers(read_source(file, "config/missing"), table)
        for name, entry in settings.mcp_servers.items():
            table.add(name, entry, place(self.source, ["mcp_servers", name]))
        for number, path in enumerate(settings.mcp_files):
            with at_item(self.source, "mcp_files", number):
                read_servers(read_source(self.folder / path, "config/missing"), table)
        return table if len(table) else None

    def runtime_fields(self, mcp_files: Iterable[str | Path] = ()) -> dict[str, Any]:
        """The settings as keyword arguments of `Runtime`. mcp_files: further files of servers."""
        from rtfs.host.calls.hints import HintLimits

        settings = self.settings
        fields: dict[str, Any] = {
            "allow": [self._grant(grant) for grant in settings.allow],
            "principal": settings.principal,
            "context": settings.context,
            "ledger": self._place(settings.ledger),
            "ledger_key": self._place(settings.ledger_key),
            "kv": self._place(settings.kv),
            "state": self._place(settings.state),
            "durability": settings.durability,
            "strict_arguments": settings.strict_arguments,
            "certificate_keys": [self.folder / path for path in settings.certificates.keys],
            "level": settings.policy.level,
            "policy_seconds": settings.policy.timeout_ms / 1000,
            "max_calls": settings.policy.max_calls,
            "rules": [rule.model_dump() for rule in settings.policy.rules],
            "quotas": [quota.model_dump() for quota in settings.policy.quotas],
            "flow": self._flow(),
            "sequence": self._sequence(),
            "width": settings.width,
            "hint_limits": HintLimits(**settings.hints.model_dump()),
            "handlers": settings.handlers,
            "module_path": [self.folder / path for path in settings.module_path],
        }
        if settings.policy.cedar:
            from rtfs.host.policy.cedar import CedarPolicy

            fields["policy"] = CedarPolicy.from_files([self.folder / path for path in settings.policy.cedar])
        servers = self.servers(mcp_files)
        if servers is not None:
            fields["handlers"] = {**settings.handlers, "mcp": {"servers": servers, **settings.handlers.get("mcp", {})}}
        limits = settings.limits.model_dump(exclude_none=True, exclude={"isolation"})
        fields["isolation"] = settings.limits.isolation
        if limits:
            fields["limits"] = limits
        if "pool" in settings.model_fields_set:
            from rtfs.capabilities.sessions.limits import PoolLimits

            fields["pool_limits"] = PoolLimits(**settings.pool.model_dump())
        return fields

    def _place(self, place: str | None) -> str | None:
        """The place of a store: a file or folder relative to this file, or a database."""
        return place if place is None or is_url(place) else str(self.folder / place)

    def place_of_ledger(self) -> str | None:
        """The file or database of the ledger, None for one in memory."""
        return self._place(self.settings.ledger)

    def place_of_key(self) -> str | None:
        """The file with the key of a ledger in a database, None for the usual one."""
        return self._place(self.settings.ledger_key)

    def place_of_state(self) -> str | None:
        """The folder or database of durable runs, None for the usual one."""
        return self._place(self.settings.state)

    def _flow(self) -> Any:
        """The flow rules with what is endorsed. Raises HostError `config/invalid`."""
        from rtfs.host.runtime_options import flow_of

        given = self.settings.flow
        options = dict(given) if isinstance(given, dict) else {"rules": given}
        if not any(options.values()) and not self.settings.endorse:
            return None
        options["endorse"] = [*(options.get("endorse") or ()), *self.settings.endorse]
        with at_item(self.source, "flow", 0):
            return flow_of(options)

    def _sequence(self) -> list[Any]:
        """The sequence rules. Raises HostError `config/invalid` at the rule."""
        from rtfs.host.sequence.rules import SequenceRule

        found: list[Any] = []
        for number, rule in enumerate(self.settings.sequence):
            with at_item(self.source, "sequence", number):
                found.append(SequenceRule(rule))
        return found

    def files(self) -> list[Path]:
        """The files and folders that are trusted because they are named here."""
        return [
            self.folder / path for path in (*self.settings.load, *self.settings.mcp_files, *self.settings.policy.cedar)
        ]

    def sources(self) -> list[Source]:
        """The files to load, read. Raises HostError `file/…` at the line that names the file."""
        from rtfs.host.files import read_sources

        found: list[Source] = []
        for number, path in enumerate(self.settings.load):
            with at_item(self.source, "load", number):
                found += read_sources(self.folder / path)
        return found

    def _grant(self, grant: str) -> str:
        """File grants of a configuration are relative to its folder, like its other paths."""
        parts = grant.split(":", 2)
        if len(parts) == 3 and parts[0] == "fs" and not parts[2].startswith(("/", "~")):
            return f"fs:{parts[1]}:{self.folder / parts[2]}"
        return grant


def read_config(path: str | Path) -> Config:
    """Read and check a configuration file. Raises HostError `config/…`; of several errors the further ones are in
    `others`."""
    import yaml

    from rtfs.host.files import read_source

    path = Path(path)
    source = read_source(path, "config/missing")
    try:
        data = yaml.safe_load(source.text)
    except yaml.YAMLError as error:
        raise broken_yaml(error, source) from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise HostError(
            "a configuration is a mapping of keys to values", code="config/invalid", span=Span(source, 0, 1)
        )
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise invalid(error, source, _keys) from None
    config = Config(settings, path.resolve().parent, source)
    for number, grant in enumerate(settings.allow):
        with at_item(source, "allow", number):
            Grants([grant])
    config.servers()
    return config


def _keys(path: list[str]) -> list[str]:
    model: Any = Settings
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)
