"""What is kept of questions, and what models have cost: `/cache`."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from answering.steps import ANSWER, RETRIEVAL, STANDALONE
from io_managers.store.account import Account
from io_managers.store.store import Store
from service.bases import Base
from service.problems import responses
from service.replies import CacheStats, ModelUse, Purged, described, reply_with
from service.routes.requests import Body

_DAY_SECONDS = 86_400


class PurgeBody(Body):
    """What to remove. paid: also the answered requests to a model, which are paid once more if they are needed again."""

    paid: Annotated[bool, Field(description="Also remove answers that a model was paid for.")] = False


def cache_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(prefix="/cache", tags=["cache"])

    @routes.get(
        "/stats",
        summary="Show what is kept, and what models have cost",
        responses=described(CacheStats, "The figures") | responses(),
    )
    async def stats(
        days: Annotated[float, Query(ge=0, le=36_500, allow_inf_nan=False, description="Last days; 0 for all.")] = 0,
    ) -> Response:
        return reply_with(await base.in_thread(_stats, (await base.opened()).store, days))

    @routes.post(
        "/purge",
        summary="Remove kept passages and answers; never what was paid, unless that is asked for",
        responses=described(Purged, "What was removed") | responses(),
    )
    async def purge(body: PurgeBody | None = None) -> Response:
        asker = await base.ready()
        paid = body is not None and body.paid
        purged = await base.in_thread(_purge, base.session.store, paid)
        asker.forget()
        return reply_with(purged)

    return routes


def _stats(store: Store, days: float) -> CacheStats:
    contents = store.contents()
    accounts = store.account.accounts(time.time() - days * _DAY_SECONDS if days else 0.0)
    results = contents.results
    return CacheStats(
        results.get(RETRIEVAL, 0),
        results.get(ANSWER, 0),
        contents.values,
        sum(results.values()),
        contents.bytes,
        [_use(account) for account in accounts],
    )


def _use(account: Account) -> ModelUse:
    saved = account.saved
    return ModelUse(
        account.stage,
        account.model,
        account.requests,
        account.input_tokens or 0,
        account.output_tokens or 0,
        round(account.usd, 6),
        account.unpriced or 0,
        account.outcomes,
        saved.results if saved else 0,
        round(saved.usd, 6) if saved else 0.0,
    )


def _purge(store: Store, paid: bool) -> Purged:
    steps = [RETRIEVAL, ANSWER, STANDALONE]
    requests = store.actions.remove_requests(steps) if paid else 0
    removed = store.actions.remove(steps)
    return Purged(removed[RETRIEVAL], removed[ANSWER], requests)
