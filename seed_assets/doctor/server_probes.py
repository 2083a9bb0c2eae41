"""Looks at the servers that the settings name: model endpoints, Redis, the remote. Nothing is paid for, no secret is shown."""

import asyncio
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

from resources.endpoints.endpoint import Endpoint
from resources.errors import ConfigurationError
from seed_assets.doctor.probe import Finding, Probe
from seed_assets.engine.runner import Asking
from seed_assets.session.session import Session
from seed_assets.session.sharing import remote_rules

_STEP_SECONDS = 5.0


def probes_of(session: Session) -> Iterator[Probe]:
    """The probes of all servers."""
    yield from _endpoints(session)
    yield Probe(
        "remote", lambda: _remote(session), 'See `seedbank cache pull`, or set store.remote_access to "off" for now.'
    )
    for setting, url in (
        ("store.redis_url", session.settings.store.redis_url.get_secret_value()),
        ("limits.redis_url", session.settings.limits.redis_url.get_secret_value()),
    ):
        yield Probe(
            f"Redis of {setting}",
            lambda setting=setting, url=url: _redis(setting, url),
            f"See that the server runs and that {setting} is right; without the setting, no Redis is used.",
        )


def _endpoints(session: Session) -> Iterator[Probe]:
    used = [one.endpoint for one in session.pipeline.resources.values() if isinstance(one, Asking)]
    endpoints = list({endpoint.name: endpoint for endpoint in used}.values())
    if not endpoints:
        yield Probe(
            "models", lambda: Finding("off", "No model server is asked: summaries and judges are offline methods.")
        )
    for endpoint in endpoints:
        yield Probe(
            f"model {endpoint.name}",
            lambda endpoint=endpoint: asyncio.run(_endpoint(endpoint)),
            "Check `base_url`, the server and the network.",
        )


async def _endpoint(endpoint: Endpoint) -> Finding:
    found = Finding("fine", "")
    with found.timed("list of models"):
        models = await endpoint.models(_STEP_SECONDS)
    if models is None:
        found.said = "The server answers, and gives no list of its models."
    elif not any(endpoint.model in (one, one.removesuffix(":latest")) for one in models):
        found.state = "fault"
        found.said = f"The server answers, and has no model {endpoint.model} among its {len(models):,}."
        found.remedy = "Set `model` to one of its names, or load that model there."
    else:
        found.said = f"The server answers, and has {endpoint.model}."
    try:
        endpoint.check_ready(priced=True)
    except ConfigurationError:
        found.warn("Its price is unknown, so costs count as unpriced.", "Name a file with it in `prices`.")
    return found


def _remote(session: Session) -> Finding:
    rules = session.settings.store
    if not rules.remote:
        return Finding("off", "No remote is set (store.remote).")
    if rules.remote_access == "off":
        return Finding("off", "The remote is not used (store.remote_access).")
    from io_managers.sharing.attaching import open_access
    from io_managers.sharing.buckets.opening import check_writable

    access = open_access(remote_rules(session.settings))
    found, bucket = Finding("fine", ""), access.bucket
    with found.timed("listing"):
        first = next(iter(bucket.list("segments")), None)
    found.said = f"{bucket.address} is {'read and written' if access.writable else 'read'} from here."
    if access.writable:
        with found.timed("test of writing"):
            warning = check_writable(bucket)
        if warning:
            found.warn(warning, "")
        if access.signer is None and not access.trust.unsigned:
            found.warn(
                "What is pushed would not be signed.", "Set store.signing_key (`seedbank cache keygen` makes one)."
            )
    with found.timed("request for a file"):
        bucket.get(f"probes/{secrets.token_hex(8)}", 1)
    if not (access.trust.keys or access.trust.unsigned):
        found.warn("No key is trusted, so nothing in it is used.", "Set store.trusted_keys.")
    if first is None:
        found.said += " Nothing was pushed there yet."
    if access.tier is not None:
        access.tier.close()
    return found


def _redis(setting: str, url: str) -> Finding:
    if not url:
        return Finding("off", f"None is set ({setting}).")
    try:
        from redis import Redis
        from redis.exceptions import RedisError
    except ImportError:
        return Finding(
            "fault", "The package redis is not installed.", "Install the extra `redis`, or remove the setting."
        )
    place = urlsplit(url)
    where = f"{place.hostname or 'a socket'}:{place.port or 6379}"
    found = Finding("fine", f"The server at {where} answers.")
    client: Redis = Redis.from_url(url, retry=None, socket_connect_timeout=_STEP_SECONDS, socket_timeout=_STEP_SECONDS)
    try:
        client.ping()
        with found.timed("request"):
            client.ping()
        memory = client.info("memory")
    except (RedisError, OSError) as error:
        # The message of an error may repeat the address with its password.
        return Finding(
            "fault",
            f"The server at {where} does not answer ({type(error).__name__}).",
            f"See that it runs and that {setting} is right.",
        )
    finally:
        client.close()
    if setting == "store.redis_url" and isinstance(memory, dict):
        if memory.get("maxmemory") == 0:
            found.warn("It has no limit on its memory, which values could fill.", "Set maxmemory on the server.")
        elif memory.get("maxmemory_policy") == "noeviction":
            found.warn("It evicts nothing once it is full.", "Set allkeys-lru, unless limits are kept there too.")
    return found
