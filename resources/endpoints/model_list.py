"""Asks a model server for the list of its models, which costs nothing: whether it can be reached, takes the key and has a
model.
"""

from resources.endpoints.wire_faults import PassingWireError, wire_fault
from resources.errors import ConfigurationError, DocumentError
from resources.wire.guarded_http import JsonSender, open_client

_REFUSED = (401, 403)


async def listed_models(name: str, url: str, secret: str, path: str, seconds: float) -> list[str] | None:
    """The names of the models that a server lists; None if it gives no list, as some servers do.

    name: of the endpoint in messages. path: of the list, below the address. seconds: how long one step of the request may take.
    Raises ConfigurationError, which says why it cannot be reached or what it refuses, and never shows the key.
    """
    client = open_client(url, timeout_seconds=seconds, connections=1)
    try:
        reply = await JsonSender(client, url, secret).get(path)
    except ConfigurationError:
        raise
    except Exception as error:
        fault = wire_fault(name, url, error)
        whole = fault.whole if isinstance(fault, PassingWireError) else fault
        if isinstance(whole, DocumentError):
            raise ConfigurationError(f"{whole.reason} {whole.remedy}") from error
        raise ConfigurationError(f"{name} cannot be reached: {type(error).__name__}.") from error
    finally:
        await client.aclose()
    if reply.status_code in _REFUSED:
        raise ConfigurationError(f"{name} refuses the key (HTTP {reply.status_code}). Check `api_key` and `base_url`.")
    if reply.status_code >= 500:
        raise ConfigurationError(f"{name} answers with HTTP {reply.status_code}. See the log of the server.")
    try:
        found = reply.json()
        rows = found.get("data") or found.get("models") or []
        return [str(row.get("id") or row.get("name")) for row in rows] if reply.status_code == 200 else None
    except (ValueError, AttributeError, TypeError):
        return None
