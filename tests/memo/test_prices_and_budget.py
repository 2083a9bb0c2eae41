"""What requests cost, what may be spent, and what the accounts say of it."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from io_managers.store.request_ledger import Attempt, nearest_rank, percentiles
from io_managers.store.store import Store
from resources.endpoints.llm import Tokens
from resources.errors import ConfigurationError, StoppedError
from resources.models.prices import BUNDLED, NOTHING, UNKNOWN, ModelPrice, price_of
from seed_assets.core.prompting.structured_output import request_action
from seed_assets.memo.budget import Budget
from tests.support.model_faults import Latency, WrongSchema, always, sequence
from tests.support.model_server import ModelServer
from tests.support.model_world import SCHEMA, ModelWorld, question

pytestmark = pytest.mark.usefixtures("own_environment")

MILLION = Tokens(1_000_000, 1_000_000)
TEXT = "A text about bread."


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """A dollar for a thousand tokens asked, two for a thousand answered."""
    return table(tmp_path, '"scripted" = { input = 1000, output = 2000 }\n"gpt-4o-mini" = { input = 7, output = 8 }')


def table(folder: Path, rows: str, as_of: str = "as_of = 2025-01-31") -> Path:
    """A file of prices of one's own."""
    path = folder / "prices.toml"
    path.write_text(f"{as_of}\n[models]\n{rows}\n", "utf-8")
    return path


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-20240718", "gpt-4o-mini-0718", "gpt-4o-mini-latest"]
)
def test_a_name_has_its_price_and_so_have_its_releases(model: str) -> None:
    price = price_of(model, own_file=None, bundled=True)
    assert price.usd(MILLION) == pytest.approx(0.15 + 0.60)
    assert price.usd(Tokens(2_000, 1_000)) == pytest.approx(0.0009)
    assert price.as_of


@pytest.mark.parametrize("model", ["gpt-4o-mini-audio", "gpt-4o-mini-2", "my-gpt-4o-mini", "gpt", "", "GPT-4o-mini"])
def test_what_is_not_written_down_is_unknown_and_not_free(model: str) -> None:
    """A price of 0 for a model that nobody knows would make a budget worth nothing."""
    price = price_of(model, own_file=None, bundled=True)
    assert price is UNKNOWN
    assert price.usd(Tokens(0)) is None


def test_every_bundled_price_can_be_read() -> None:
    import tomllib

    for name, row in tomllib.loads(BUNDLED.read_text("utf-8"))["models"].items():
        wanted = row["input"] + row.get("output", 0)
        assert price_of(name, own_file=None, bundled=True).usd(MILLION) == pytest.approx(wanted), name


def test_a_file_of_ones_own_wins_and_holds_for_any_address(tmp_path: Path, prices: Path) -> None:
    with ModelWorld(tmp_path, "http://elsewhere.example", model="gpt-4o-mini", prices=prices) as world:
        price = world.model().endpoint.price
    assert price == ModelPrice(7, 8, as_of="2025-01-31")
    assert price_of("gpt-4o-mini", own_file=prices, bundled=True) == price
    # What is not in it is as before.
    assert price_of("gpt-4o", own_file=prices, bundled=True).usd(MILLION) == pytest.approx(12.5)
    assert price_of("gpt-4o", own_file=prices, bundled=False) is UNKNOWN


def test_bundled_prices_hold_for_the_providers_own_address_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway with the same names takes what it likes."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ModelWorld(tmp_path, model="gpt-4o-mini", base_url="") as world:
        assert world.model().endpoint.price.usd(MILLION) == pytest.approx(0.75)
        assert world.model("gpt-4o").endpoint.price.usd(MILLION) == pytest.approx(12.5)
    with ModelWorld(tmp_path, "https://gateway.example", model="gpt-4o-mini") as world:
        assert world.model().endpoint.price is UNKNOWN
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    with ModelWorld(tmp_path, model="gpt-4o-mini", base_url="") as world:
        assert world.model().endpoint.price is UNKNOWN


def test_ollama_costs_nothing_unless_somebody_says_so(tmp_path: Path, prices: Path) -> None:
    with ModelWorld(tmp_path, provider="ollama", model="gpt-4o") as world:
        assert world.model().endpoint.price is NOTHING
        assert world.model().endpoint.price.usd(MILLION) == 0
    with ModelWorld(tmp_path, provider="ollama", prices=prices) as world:
        assert world.model().endpoint.price.usd(MILLION) == 3000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("as_of = 2025-01-31\n[models\n", "cannot be read"),
        ("[models]\n", "as_of"),
        ("as_of = 2025-01-31\n[models]\nx = { input = -1 }\n", "models.x.input"),
        ("as_of = 2025-01-31\n[models]\nx = { input = 1, ouput = 2 }\n", "models.x.ouput"),
        ("as_of = 2025-01-31\n[models]\nx = 3\n", "models.x"),
        (None, "cannot be read"),
    ],
    ids=["no-toml", "no-date", "negative", "misspelt", "no-row", "missing"],
)
def test_a_file_of_prices_that_is_wrong_is_named(content: str | None, message: str, tmp_path: Path) -> None:
    """One that was passed over in silence would count everything as unknown, or as free."""
    path = tmp_path / "my prices.toml"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        price_of("gpt-4o", own_file=path, bundled=True)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def most_usd(world: ModelWorld, text: str = TEXT) -> float:
    """The most that a request for a text's summary can cost."""
    usd = world.model().endpoint.price.usd(world.model().most_tokens(question(text), SCHEMA))
    assert usd is not None
    return usd


@pytest.mark.slow
def test_a_request_that_might_cost_too_much_is_not_sent(tmp_path: Path, prices: Path) -> None:
    """Afterwards is too late: the answer is paid for."""
    with ModelServer() as server, ModelWorld(tmp_path, server.url, prices=prices) as world:
        most = most_usd(world)
        budget = Budget(most * 0.99)
        with pytest.raises(StoppedError, match="does not cover the next request"):
            world.ask(TEXT, world.reuse(budget=budget))
        assert server.calls == []
        assert world.attempts() == []
        assert "does not cover" in budget.spent_reason()
        # It is nobody's fault, so nothing is remembered of it.
        enough = Budget(most)
        assert world.ask(TEXT, world.reuse(budget=enough)) == TEXT
        assert enough.spent_reason() == ""
        (attempt,) = world.attempts()
        assert attempt.usd == pytest.approx((1000 * attempt.input_tokens + 2000 * attempt.output_tokens) / 1e6)
        assert 0 < (attempt.usd or 0) < most


def test_what_was_spent_is_no_longer_there(tmp_path: Path, prices: Path) -> None:
    """Failed answers count as well: they are paid for."""
    with (
        ModelServer(sequence(WrongSchema())) as server,
        ModelWorld(tmp_path, server.url, prices=prices) as world,
    ):
        reuse = world.reuse(budget=Budget(most_usd(world) * 1.2))

        async def on_and_on() -> None:
            for number in range(20_000):
                await world.asked(f"Text {number} about bread, at some length, so that it costs something.", reuse)

        with pytest.raises(StoppedError):
            world.run(asyncio.wait_for(on_and_on(), 30))
        spent = [attempt.usd or 0.0 for attempt in world.attempts()]
        assert len(spent) == len(server.calls) >= 3
        assert world.outcomes()[0] == "wrong shape"
        assert sum(spent) <= most_usd(world) * 1.2
        assert reuse.accounts.usage.usd == pytest.approx(sum(spent))


@pytest.mark.slow
def test_a_request_waits_while_others_may_turn_out_cheaper(tmp_path: Path, prices: Path) -> None:
    """Two at once could come to more than the budget; one after the other they do not."""

    async def both(world: ModelWorld) -> list[str]:
        reuse = world.reuse(budget=Budget(most_usd(world) * 1.5))
        return await asyncio.gather(*(world.asked(text, reuse) for text in (TEXT, "A text about rails.")))

    with (
        ModelServer(always(Latency(0.3))) as server,
        ModelWorld(tmp_path, server.url, prices=prices) as world,
    ):
        assert world.run(both(world)) == [TEXT, "A text about rails."]
        assert server.in_flight_most == 1
        assert len(server.calls) == 2


def test_without_a_price_there_is_no_budget(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        for budget in (Budget(1_000), Budget(period_usd=1_000)):
            with pytest.raises(ConfigurationError, match=r"price of the model is unknown.*`prices`"):
                world.ask(TEXT, world.reuse(budget=budget))
        with pytest.raises(ConfigurationError, match="price of scripted is unknown"):
            world.model().endpoint.check_ready(priced=True)
        assert server.calls == []
        reuse = world.reuse()
        world.ask(TEXT, reuse)
        assert (reuse.accounts.usage.usd, reuse.accounts.usage.unpriced) == (0, 1)
        assert world.attempts()[0].usd is None


def _spent(store: Store, usd: float | None, **fields: str) -> None:
    store.requests.record(Attempt("key", fields.get("stage", "s"), "m", fields.get("outcome", "answered"), usd=usd))
    store.database.write().result()


def test_the_budget_of_a_period_counts_what_all_processes_spend(tmp_path: Path, prices: Path) -> None:
    """A schedule that starts a run an hour must not spend the day's budget in each."""
    with ModelServer() as server, ModelWorld(tmp_path, server.url, prices=prices) as world:
        most = most_usd(world)

        def budget() -> Budget:
            return Budget(period_usd=most + 1, period_days=2, spent_since=world.store.requests.spent_usd)

        # A store opened twice is what two processes have.
        other = Store(world.store.directory)
        try:
            running = budget()
            _spent(other, 0.9)
            world.ask(TEXT, world.reuse(budget=running))
            _spent(other, 0.2)
            for late in (running, budget()):
                with pytest.raises(StoppedError, match="in 2 days does not cover"):
                    world.ask("A text about rails.", world.reuse(budget=late))
        finally:
            other.close()
        assert len(server.calls) == 1


def test_what_was_spent_before_the_period_does_not_count(tmp_path: Path) -> None:
    seen: list[float] = []

    def spent_since(since: float) -> float:
        seen.append(since)
        return 0.0

    async def reserved() -> None:
        async with Budget(period_usd=1, period_days=0.5, spent_since=spent_since).reserve(0.5):
            pass

    before = time.time()
    asyncio.run(reserved())
    assert all(before - 43_200 <= since <= time.time() - 43_200 for since in seen)
    store = Store(tmp_path)
    try:
        _spent(store, 2.0)
        _spent(store, None)
        assert store.requests.spent_usd(before - 1) == 2.0
        assert store.requests.spent_usd(time.time() + 1) == 0.0
    finally:
        store.close()


def test_a_reserve_is_given_back_however_the_request_ends() -> None:
    async def fails_then_asks() -> None:
        budget = Budget(1.0)
        for _ in range(3):
            with pytest.raises(OSError, match="down"):
                async with budget.reserve(0.9):
                    raise OSError("down")
        async with budget.reserve(0.9):
            pass

    asyncio.run(asyncio.wait_for(fails_then_asks(), 5))


def test_a_request_that_fits_to_the_last_cent_is_sent_whatever_was_reserved_before() -> None:
    """Sums of amounts leave a rest by rounding: a request would wait for ever for somebody to give that back."""

    async def asks() -> None:
        budget = Budget(5.0)
        # Added and subtracted in this order, they leave 1.1e-16.
        requests = [budget.reserve(amount) for amount in (0.5547, 0.7961, 0.3743, 0.4339, 0.6765)]
        for request in requests:
            await request.__aenter__()
        for request in requests:
            await request.__aexit__(None, None, None)
        budget.spend(4.5425)
        async with budget.reserve(0.4575):
            pass

    asyncio.run(asyncio.wait_for(asks(), 5))


def test_a_request_that_waits_for_others_is_decided_when_one_of_them_ends() -> None:
    async def three() -> list[str]:
        budget, ended = Budget(1.0), []

        async def ask(name: str, most: float, cost: float, arrives: asyncio.Event, answered: asyncio.Event) -> None:
            try:
                async with budget.reserve(most):
                    arrives.set()
                    await answered.wait()
            except StoppedError:
                ended.append(f"{name} stopped")
                return
            budget.spend(cost)
            ended.append(f"{name} sent")

        here, answered, cheap = asyncio.Event(), asyncio.Event(), asyncio.Event()
        cheap.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask("first", 0.9, 0.5, here, answered))
            await here.wait()
            tasks.create_task(ask("fits after the first", 0.4, 0.4, asyncio.Event(), cheap))
            tasks.create_task(ask("never fits after the first", 0.6, 0.6, asyncio.Event(), cheap))
            for _ in range(3):
                await asyncio.sleep(0)
            assert ended == [], "the first may turn out to cost less than was set aside"
            answered.set()
        return ended

    assert asyncio.run(asyncio.wait_for(three(), 5)) == [
        "first sent",
        "fits after the first sent",
        "never fits after the first stopped",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], (0, 0, 0)),
        ([7.0], (7, 7, 7)),
        ([4.0, 1.0, 3.0, 2.0], (2, 4, 4)),
        (range(1, 101), (50, 95, 99)),
        (range(1, 21), (10, 19, 20)),
    ],
    ids=["none", "one", "four", "hundred", "twenty"],
)
def test_percentiles_are_by_nearest_rank(seconds: list[float], expected: tuple[float, float, float]) -> None:
    """A figure that was measured, and not one between two of them."""
    assert percentiles(seconds) == expected


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_rank_is_exact_for_every_count(share: float) -> None:
    """Binary fractions a little above the decimal ones must not take the next figure."""
    exact: Callable[[int], int] = lambda count: math.ceil(Fraction(str(share)) * count) - 1  # noqa: E731
    assert [nearest_rank(share, count) for count in range(1, 3_000)] == [exact(count) for count in range(1, 3_000)]


def test_the_accounts_tell_latencies_of_answers_and_outcomes_of_all(tmp_path: Path) -> None:
    """A timeout of two minutes is no latency of the model's answers."""
    store = Store(tmp_path)
    try:
        latencies = [float(number) for number in range(1, 101)]
        random.Random(5).shuffle(latencies)
        for seconds in latencies:
            store.requests.record(Attempt("k", "summaries", "a", "answered", seconds=seconds, input_tokens=10, usd=0.5))
        for _ in range(3):
            store.requests.record(Attempt("k", "summaries", "a", "timeout", seconds=1_000, usd=None))
        _spent(store, 1.0, stage="concepts")
        concepts, summaries = store.account.accounts()
        assert (concepts.stage, concepts.requests, concepts.latencies) == ("concepts", 1, (0, 0, 0))
        assert summaries.latencies == (50, 95, 99)
        assert summaries.outcomes == {"answered": 100, "timeout": 3}
        assert (summaries.requests, summaries.input_tokens, summaries.unpriced) == (103, 1_000, 3)
        assert summaries.usd == pytest.approx(50)
        assert store.account.accounts(time.time() + 1) == []
    finally:
        store.close()


def test_what_is_found_again_is_saved_as_often_as_it_is_found(tmp_path: Path, prices: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url, prices=prices) as world:
        world.ask(TEXT)
        (attempt,) = world.attempts()
        key = request_action(world.model(), question(TEXT), SCHEMA).key
        for _ in range(2):
            reuse = world.reuse()
            reuse.note_found("summaries", reuse.finished([key, "unknown"]))
            reuse.accounts.keep_savings()
            reuse.accounts.keep_savings()  # a second time there is nothing left to keep
        world.store.database.write().result()
        saved = next(account.saved for account in world.store.account.accounts() if account.stage == "summaries")
    assert saved is not None
    assert (saved.results, saved.requests, saved.model) == (2, 2, "scripted")
    assert saved.usd == pytest.approx(2 * (attempt.usd or 0), rel=1e-6)
    assert saved.input_tokens == 2 * attempt.input_tokens
