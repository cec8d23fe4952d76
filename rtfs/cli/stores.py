"""The store of durable runs that a command uses: from an option, or else a configuration, or else the usual folder.

Must not know what is done with them. Invariant: a configuration that was only found, and is not trusted, names nothing.
"""

from __future__ import annotations

from rtfs.cli import wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from rtfs.cli.options import Options
    from rtfs.cli.usage_errors import Parser
    from rtfs.host.durable.store import RunStore


def add_options(parser: Parser) -> None:
    """The options that say where durable runs are."""
    parser.add_argument("--state", metavar="PLACE", help="folder or database (postgresql://…) of durable runs")
    parser.add_argument("--config", metavar="FILE", help="configuration (rtfs.yaml) with a `state`")
    parser.add_argument("--trust", action="store_true", help="trust the rtfs.yaml and the server files found here")


def take(found: argparse.Namespace, options: Options) -> None:
    """Have the options say what `add_options` found."""
    options.state, options.config, options.trust = found.state, found.config, found.trust


def state_of(options: Options, *, warns: bool = True) -> str | None:
    """The place that the options name, or a configuration; None for the usual folder. warns: of a configuration that is
    not used, as it is not trusted. Raises HostError `config/…`."""
    if options.state is not None:
        return options.state
    if warns:
        wiring.discovered(options, asks=False)  # `rtfs runs` asks no questions
    else:
        wiring.discovered(options, asks=False, told=lambda _: None)
    if options.config is None:
        return None
    from rtfs.host.config.config import read_config

    return read_config(options.config).place_of_state()


def run_store(options: Options) -> RunStore:
    """The store of durable runs that the options name. Raises HostError `config/…`, `database/url`."""
    from rtfs.host.dispatch.place import chosen_store
    from rtfs.host.sqlite import KILL

    return chosen_store(state_of(options), KILL)
