"""The commands `seedbank serve` and `seedbank mcp`: their arguments and checks. What is served is in `service`."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import CorpusOption, HomeOption, errors_as_messages, settings_of
from io_managers.plain_text import plain

if TYPE_CHECKING:
    from service.bases import Base


def serve(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    host: Annotated[
        str, typer.Option(help="The address on which the service listens; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port on which the service listens.")] = 8000,
) -> None:
    """Answer questions over HTTP, for one knowledge base or those of `service.bases`, until it is stopped."""
    with errors_as_messages():
        from answering.opening import open_asker
        from cli.environment_checks import check_port, check_temporary_folder, check_tokens, is_loopback
        from cli.streams import print_error
        from service.bases import open_bases

        bases = open_bases(settings_of(corpus, home), open_asker)
        check_tokens(host, [_setting(base) for base in bases if not base.token])
        for base in bases:
            if open_still := base.home.keep_private(base.settings.corpus):
                print_error(open_still)
        check_temporary_folder()
        check_port(host, port)
        from service.serving import run_service

        where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        for base in bases:
            print(plain(f"{base.home.directory} is answered at {where}/{base.name}"), file=sys.stderr)
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
            run_service(bases, host, port, loopback=is_loopback(host))


def _setting(base: "Base") -> str:
    return f"service.tokens.{base.name}" if base.name else "service.token"


def mcp(home: HomeOption = None) -> None:
    """Give agents the tools search, ask, open, list_documents and list_clusters, by MCP over standard input and output."""
    with errors_as_messages():
        import asyncio

        from answering.opening import open_asker
        from service.bases import Base
        from service.tools import build_tools

        settings = settings_of(None, home)

        async def run() -> None:
            base = Base("", "", settings, open_asker)
            base.check_seeded()
            try:
                await build_tools(base).run_stdio_async()
            finally:
                await base.aclose()

        with suppress(KeyboardInterrupt):
            asyncio.run(run())
