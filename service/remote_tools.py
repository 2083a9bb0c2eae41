"""The tools for agents over HTTP, at `/mcp` of each knowledge base. They are loaded with the first request to them."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from service.bases import Base

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class RemoteTools:
    """The app at `/mcp`. Requests are independent of each other: no session is kept between them."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._ending = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        async with self._starting:
            if self._manager is None:
                self._manager = await self._started()
        await self._manager.handle_request(scope, receive, send)

    async def _started(self) -> "StreamableHTTPSessionManager":
        from mcp.server.transport_security import TransportSecuritySettings

        from service.tools import build_tools

        # Who may use it is settled by the layers around the app, as for every other route.
        server = build_tools(self._base)
        checked_before = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(stateless_http=True, json_response=True, transport_security=checked_before)
        manager: StreamableHTTPSessionManager = server.session_manager
        started = asyncio.Event()

        async def run() -> None:
            # A task group has to be left by the task that entered it, so it has a task of its own.
            async with manager.run():
                started.set()
                await self._ending.wait()

        self._running = asyncio.create_task(run())
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._running.done():
            self._running.result()
        return manager

    async def aclose(self) -> None:
        """End it."""
        self._ending.set()
        if self._running is not None:
            with suppress(asyncio.CancelledError):
                await self._running
