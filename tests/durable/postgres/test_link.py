"""Connections that come back after they were lost, whichever way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtfs.host.postgres import answering
from rtfs.host.postgres.link import Link, Reached
from rtfs.values import HostError
from tests.durable.postgres.proxy import Proxy


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    found = Proxy(database)
    yield found
    found.close()


def links(proxy: Proxy, count: int) -> list[Link]:
    reached = Reached()
    found = [Link(proxy.url, lambda connection: None, reached=reached) for _ in range(count)]
    for link in found:
        asked(link)
    return found


def asked(link: Link, patience: float | None = None) -> tuple[int, bool]:
    """An answer of the database, and whether the question was asked before."""
    return link.work(lambda connection, again: (connection.execute("SELECT 7").fetchone()[0], again), patience)  # type: ignore[index]


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again_and_no_other_connection_of_before_is_tried(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answering, "ANSWER", 2.0)
    several = links(proxy, 5)
    proxy.lose()
    assert [asked(link) for link in several] == [(7, True)] + [(7, False)] * 4


def test_a_connection_that_is_reset_again_and_again_comes_back(proxy: Proxy):
    (link,) = links(proxy, 1)
    for _ in range(5):
        proxy.reset()
        assert asked(link)[0] == 7


def test_a_connection_that_was_lost_while_nothing_waits_for_it_is_made_anew_the_next_time(proxy: Proxy):
    (link,) = links(proxy, 1)
    proxy.mode = "reset"
    proxy.reset()
    for _ in range(2):
        with pytest.raises(HostError, match="cannot reach the database"):
            asked(link, 0.0)
    proxy.mode = "pass"
    assert asked(link, 0.0) == (7, False)


def test_a_statement_without_a_limit_takes_as_long_as_it_takes(database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "ANSWER", 0.2)
    migrating = Link(database, lambda connection: None, answers=False)
    row = migrating.work(lambda connection, again: connection.execute("SELECT 7 FROM pg_sleep(1)").fetchone())
    assert row == (7,)
    migrating.close()
    other = Link(database, lambda connection: None, patience=0.0)
    with pytest.raises(HostError, match=r"no answer within 0\.2 seconds"):
        other.work(lambda connection, again: connection.execute("SELECT 7 FROM pg_sleep(5)"))
    other.close()
