"""What models were asked and what that cost, by stage and model, and what reuse has saved."""

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from answering.steps import ANSWER, RETRIEVAL
from io_managers.store.account import Account
from io_managers.store.store import Contents, Store
from service.bases import Base
from service.pages.rendering import page

_DAY_SECONDS = 86_400
PERIODS = {"": "since the beginning", "30": "the last 30 days", "7": "the last 7 days", "1": "the last 24 hours"}


def money_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def money(request: Request) -> Response:
        days = request.query_params.get("days", "")
        days = days if days in PERIODS else ""
        accounts, contents = await base.in_thread(_figures, (await base.opened()).store, int(days or 0))
        kept = {"answers": contents.results.get(ANSWER, 0), "passages of questions": contents.results.get(RETRIEVAL, 0)}
        others = sum(contents.results.values()) - sum(kept.values())
        return page(
            request,
            "money",
            accounts=accounts,
            total=_total(accounts),
            kept={"results of stages and requests": others, **kept},
            contents=contents,
            periods=PERIODS,
            days=days,
        )

    return [Route("/page/money", money, methods=["GET"])]


def _figures(store: Store, days: int) -> tuple[list[Account], Contents]:
    since = time.time() - days * _DAY_SECONDS if days else 0.0
    return store.account.accounts(since), store.contents()


def _total(accounts: list[Account]) -> dict[str, float]:
    saved = [account.saved for account in accounts if account.saved]
    return {
        "requests": sum(account.requests for account in accounts),
        "tokens": sum(account.input_tokens + account.output_tokens for account in accounts),
        "usd": sum(account.usd for account in accounts),
        "unpriced": sum(account.unpriced for account in accounts),
        "wasted": sum(account.wasted.usd for account in accounts),
        "reused": sum(saving.results for saving in saved),
        "saved": sum(saving.usd for saving in saved),
    }
