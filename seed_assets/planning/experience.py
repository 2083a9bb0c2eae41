"""What results will probably cost, by what such results have cost in this home so far.

What belongs here: means of the account of the store. What does not: the most that something can cost (estimate), and what was
paid (io_managers.store.account).
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from io_managers.store.account import Account
from io_managers.store.store import Store
from resources.endpoints.llm import Tokens, Usage

if TYPE_CHECKING:
    from resources.endpoints.endpoint import Endpoint


class Experience:
    """The account of a store, read once, when it is first needed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def _accounts(self) -> dict[tuple[str, str], Account]:
        return {(found.stage, found.model): found for found in self._store.account.accounts()}

    def expected(self, stage: str, results: int, endpoints: "Iterable[Endpoint]") -> Usage | None:
        """What so many results of a stage will cost at today's prices; None if none were paid for with these models yet.

        Requests without a usable answer count as well, since there will be such requests again. endpoints: those that the stage
        asks.
        """
        known = [(one, found) for one in endpoints if (found := self._accounts.get((stage, one.model))) is not None]
        made = sum(found.misses for _, found in known)
        if not made:
            return None
        expected = Usage()
        for endpoint, found in known:
            share = results / made
            tokens = Tokens(round(found.input_tokens * share), round(found.output_tokens * share))
            requests, usd = round(found.requests * share), endpoint.price.usd(tokens)
            unpriced = requests if usd is None else 0
            expected.add(Usage(requests, tokens.input, tokens.output, usd or 0.0, unpriced, endpoint.model))
        return expected
