"""Redis in front of a remote: it changes how fast values come, and never which."""

import contextlib
import logging
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from io_managers.sharing import redis_tier
from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.redis_tier import Breaker, RedisTier, tier_key
from io_managers.sharing.remote import Access
from io_managers.sharing.segments.signatures import Trust
from tests.support.sharing import KEY, Host

URL = "redis://127.0.0.1:6379/0"
IN_FOLDER = pytest.mark.parametrize("opened", ["folder"], indirect=True)


@pytest.fixture
def redis(integration: None) -> Iterator[RedisTier]:
    """A tier over the server of this machine."""
    try:
        socket.create_connection(("127.0.0.1", 6379), timeout=1).close()
    except OSError:
        pytest.skip("no Redis server on 127.0.0.1:6379")
    tier = RedisTier(URL, 60, 1 << 20)
    yield tier
    tier.close()


Hosts = Callable[[RedisTier | None], Host]


@pytest.fixture
def hosts(tmp_path: Path, opened: Callable[[], Bucket]) -> Iterator[Hosts]:
    """Hosts that read a remote with 20 results through a tier."""
    writer = Host(tmp_path / "writer", opened)
    mark = uuid.uuid4().hex
    for number in range(20):
        writer.commit(number, f"{mark} {number}")
    writer.push()
    made = [writer]

    def make(tier: RedisTier | None) -> Host:
        host = Host(tmp_path / f"reader-{len(made)}", opened)
        access = Access(opened(), Trust([KEY.public]), None, False, tier)
        host.remote.__dict__["access"] = access
        host.remote.pull()
        made.append(host)
        return host

    yield make
    for host in made:
        host.remote.__dict__["access"] = host.remote.access._replace(tier=None)
        host.close()


def values(host: Host) -> list[object]:
    """All values of a host, with the mark of the test taken away."""
    from tests.support.sharing import action_of

    found = [host.value(action_of(number)) for number in range(20)]
    return [str(value).partition(" ")[2] for value in found]


ALL = [str(number) for number in range(20)]


@IN_FOLDER
def test_a_second_reader_asks_redis_and_not_the_remote(redis: RedisTier, hosts: Hosts) -> None:
    one, two = hosts(redis), hosts(redis)
    assert values(one) == values(two) == ALL
    assert (one.remote.fetched, two.remote.fetched) == (20, 0)


@IN_FOLDER
def test_wrong_values_in_redis_are_never_used(redis: RedisTier, hosts: Hosts) -> None:
    """Whoever can write to Redis, or another version, may have left anything there."""
    one, two, three = hosts(redis), hosts(redis), hosts(redis)
    assert values(one) == ALL
    for digest in one.store.content.digests():
        redis._client.set(tier_key(digest), b"wrong")
    assert values(two) == ALL
    assert two.remote.fetched == 20
    assert two.remote.index.withheld() == {}
    assert values(three) == ALL
    assert three.remote.fetched == 0


@IN_FOLDER
def test_values_that_go_from_redis_come_from_the_remote(redis: RedisTier, hosts: Hosts) -> None:
    """A restart or a flush in mid-run changes speed only."""
    one, two = hosts(redis), hosts(redis)
    assert values(one) == ALL
    for digest in list(one.store.content.digests())[::2]:
        redis.forget(digest)
    assert values(two) == ALL
    assert two.remote.fetched == 10


@IN_FOLDER
def test_every_value_in_redis_ends_and_large_ones_never_enter(redis: RedisTier, hosts: Hosts) -> None:
    """Pictures of pages once filled the memory of a machine."""
    small = RedisTier(URL, 60, 10)
    one, two = hosts(redis), hosts(small)
    assert values(one) == ALL
    keys = [tier_key(digest) for digest in one.store.content.digests()]
    assert all(0 < redis._client.ttl(key) <= 60 for key in keys)
    redis._client.delete(*keys)
    assert values(two) == ALL
    assert redis._client.exists(*keys) == 0
    small.close()


@IN_FOLDER
@pytest.mark.parametrize("server", ["down", "silent", "babbling"])
def test_a_server_that_does_not_answer_is_left_alone(
    server: str, hosts: Hosts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By default the client would wait for seconds in each call."""
    monkeypatch.setattr(redis_tier, "_TIMEOUT_SECONDS", 0.02)
    with contextlib.ExitStack() as stack:
        port = 9
        if server != "down":
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
            port = listener.getsockname()[1]
            if server == "babbling":
                _babble(listener)
        tier = RedisTier(f"redis://127.0.0.1:{port}/0", 60, 1 << 20)
        asked = []
        inner = tier._client.get
        monkeypatch.setattr(tier._client, "get", lambda key: (asked.append(key), inner(key))[1])
        host = hosts(tier)
        with caplog.at_level(logging.WARNING):
            assert values(host) == ALL
        assert len(asked) <= redis_tier._MOST_FAILURES
        assert caplog.text.count("Redis is not used for now") == 1
        tier.close()


def _babble(listener: socket.socket) -> None:
    import threading

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()


def test_after_a_while_one_request_probes_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(redis_tier.time, "monotonic", lambda: now[0])
    breaker = Breaker()
    assert [breaker.failed() for _ in range(3)] == [False, False, True]
    assert not breaker.lets_through()
    now[0] += 31
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    assert not breaker.failed()
    assert not breaker.lets_through()
    now[0] += 31
    assert breaker.lets_through()
    breaker.succeeded()
    assert [breaker.lets_through() for _ in range(3)] == [True] * 3


def test_how_the_server_keeps_its_memory_is_said(redis: RedisTier, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"maxmemory": 0, "maxmemory_policy": "noeviction"}
    monkeypatch.setattr(redis._client, "info", lambda section: found)
    assert "maxmemory 0" in redis.problem()
    found["maxmemory"] = 1 << 30
    assert "noeviction" in redis.problem()
    found["maxmemory_policy"] = "allkeys-lru"
    assert redis.problem() == ""
