"""Requests in batches, from the claim to the account: what is sent, what is paid, and that nothing is paid twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from io_managers.store.request_ledger import ANSWERED, ANSWERED_IN_BATCH
from resources.batches import submission
from resources.endpoints.llm import EndpointError, TransientLLMError
from resources.errors import StoppedError
from seed_assets.memo.budget import Budget
from tests.support.batch_server import BatchServer
from tests.support.batched_texts import Texts, texts_of

# Each test has a server and seven or more event loops.
pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


@pytest.fixture
def texts(tmp_path: Path, server: BatchServer) -> Iterator[Texts]:
    texts = Texts(tmp_path, server.url)
    with texts.world:
        yield texts


MANY = texts_of(12)


def test_all_requests_but_the_first_go_into_one_batch_and_are_found_by_the_next_run(
    server: BatchServer, texts: Texts
) -> None:
    """Guards against requests that are sent alone although a batch was asked for, and against replies that are lost."""
    assert texts.run(*MANY).count("") == len(MANY) - 1
    assert (len(server.calls), len(server.batches), server.paid_in_batches) == (1, 1, len(MANY) - 1)
    (ended,) = texts.open.look()
    assert (ended.remote_state, ended.answered, ended.requests) == ("completed", len(MANY) - 1, len(MANY) - 1)
    assert all(texts.run(*MANY))
    assert len(server.calls) == 1
    assert not server.paid_twice()
    assert texts.world.outcomes().count(ANSWERED_IN_BATCH) == len(MANY) - 1
    assert not texts.records.replied()
    assert not texts.records.waiting()


def test_the_account_shows_half_the_price(server: BatchServer, texts: Texts) -> None:
    """Guards against batches that are accounted at the price of requests that are sent alone."""
    texts.run(*MANY)
    texts.open.look()
    texts.run(*MANY)
    batched = [one for one in texts.world.attempts() if one.outcome == ANSWERED_IN_BATCH]
    alone = sum(one.input_tokens * 2e-6 + one.output_tokens * 8e-6 for one in batched)
    assert texts.usd(ANSWERED_IN_BATCH) == pytest.approx(alone / 2)
    assert texts.usd(ANSWERED) > 0


def test_requests_in_a_batch_are_not_sent_alone_by_another_run(server: BatchServer, texts: Texts) -> None:
    """Guards against paying twice when a run without batches meets requests that wait."""
    server.faults.holds = True
    texts.run(*MANY)
    assert texts.run(*MANY, mode="off").count("") == len(MANY) - 1
    assert len(server.calls) == 1
    server.finish()
    texts.open.look()
    assert all(texts.run(*MANY, mode="off"))
    assert len(server.calls) == 1
    assert not server.paid_twice()


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_a_batch_answered_before_it_ended_is_kept(server: BatchServer, texts: Texts, end: str) -> None:
    """Guards against throwing away paid answers of a batch that did not complete."""
    server.faults.share = 0.5
    server.faults.end = end  # type: ignore[assignment]
    texts.run(*MANY)
    (ended,) = texts.open.look()
    assert 0 < ended.answered < ended.requests
    paid = server.paid_in_batches
    server.faults.share, server.faults.end = 1.0, "completed"
    # The answers are used, and of the rest one request is sent alone, and the others go into another batch.
    assert texts.run(*MANY).count("") == ended.requests - ended.answered - 1
    texts.open.look()
    assert all(texts.run(*MANY))
    assert server.paid_in_batches - paid <= ended.requests - ended.answered
    assert not server.paid_twice()


def test_a_call_that_fails_after_the_batch_was_begun_begins_no_second_one(server: BatchServer, texts: Texts) -> None:
    """Guards against the retry that is billed twice."""
    server.faults.lost_creates = 1
    texts.run(*MANY)
    assert [batch.state for batch in texts.records.all()] == ["submitted"]
    texts.open.look()
    assert all(texts.run(*MANY))
    assert len(server.batches) == 1
    assert not server.paid_twice()


def test_a_batch_that_may_have_begun_is_found_later(
    server: BatchServer, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against giving up a batch that the provider does not list yet."""
    monkeypatch.setattr(submission, "_LOOKS_SECONDS", (0.0,))
    server.faults.lost_creates, server.faults.hides = 1, 2
    texts.run(*MANY)
    assert [batch.state for batch in texts.records.all()] == ["creating"]
    assert texts.run(*MANY).count("") == len(MANY) - 1, "its requests wait meanwhile"
    texts.open.look()
    assert [batch.state for batch in texts.records.all()] == ["creating"]
    texts.open.look()
    assert all(texts.run(*MANY))
    assert len(server.batches) == 1
    assert not server.paid_twice()


def test_a_batch_that_was_not_begun_is_given_up_after_some_minutes(
    server: BatchServer, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against documents that wait for ever for a batch that never was."""
    monkeypatch.setattr(submission, "_LOOKS_SECONDS", (0.0,))
    server.faults.dropped_creates = 1
    texts.run(*MANY)
    assert not texts.open.look()
    monkeypatch.setattr(submission, "UNKNOWN_SECONDS", 0.0)
    (ended,) = texts.open.look()
    assert ended.remote_state == "not begun"
    assert texts.run(*MANY).count("") == len(MANY) - 2
    assert len(server.batches) == 1


def test_replies_with_unknown_or_double_ids_are_refused(server: BatchServer, texts: Texts) -> None:
    """Guards against a reply that is taken for the answer to another request."""
    server.faults.double, server.faults.unknown = 2, 3
    texts.run(*MANY)
    (ended,) = texts.open.look()
    assert (ended.refused, ended.answered) == (5, len(MANY) - 3)
    server.faults.double = server.faults.unknown = 0
    assert texts.run(*MANY).count("") == 2
    texts.open.look()
    assert all(texts.run(*MANY))


def test_requests_that_the_server_failed_go_into_another_batch_and_not_for_ever(
    server: BatchServer, texts: Texts
) -> None:
    """Guards against failed rows that count as answers, and against batches without end."""
    server.faults.error_rows = 2
    texts.run(*MANY)
    for _ in range(2):
        texts.open.look()
        assert texts.run(*MANY).count("") == 2
    texts.open.look()
    with pytest.raises(TransientLLMError):
        texts.run(*MANY)
    assert [len(one) for one in (server.calls, server.batches)] == [1, 3]


def test_a_refusal_for_want_of_credit_ends_the_stage_and_frees_the_requests(server: BatchServer, texts: Texts) -> None:
    """Guards against requests that stay claimed for a batch that was refused."""
    server.faults.quota = 1
    with pytest.raises(EndpointError, match="quota"):
        texts.run(*MANY)
    assert not texts.records.open()
    assert not texts.records.waiting()
    assert texts.run(*MANY).count("") == len(MANY) - 2
    assert len(server.batches) == 1


def test_rows_that_all_fail_for_want_of_credit_end_the_stage(server: BatchServer, texts: Texts) -> None:
    """Guards against thousands of failed documents where the account is at fault."""
    server.faults.error_rows = 100
    server.faults.error = (
        429,
        {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota."}},
    )
    texts.run(*MANY)
    texts.open.look()
    with pytest.raises(EndpointError, match="quota"):
        texts.run(*MANY)


def test_a_batch_of_another_account_waits_until_it_is_given_up(server: BatchServer, texts: Texts) -> None:
    """Guards against sending again what another account may still pay for, and against waiting for ever."""
    server.faults.holds = True
    texts.run(*MANY)
    server.faults.forgets = True
    assert not texts.open.look()
    (batch,) = texts.records.open()
    assert batch.remote_state == "unknown"
    assert "another account" in batch.detail
    assert texts.run(*MANY).count("") == len(MANY) - 1
    texts.open.cancel([batch])
    assert not texts.records.open()


def test_a_batch_that_the_provider_refuses_after_a_look_at_it_frees_its_requests(
    server: BatchServer, texts: Texts
) -> None:
    """Guards against documents that wait for a batch over the limit of queued tokens."""
    server.faults.end = "failed"
    texts.run(*MANY)
    (ended,) = texts.open.look()
    assert (ended.remote_state, ended.answered) == ("failed", 0)
    assert "token_limit_exceeded" in ended.detail
    server.faults.end = "completed"
    texts.run(*MANY)
    texts.open.look()
    assert all(texts.run(*MANY))


def test_few_requests_are_sent_alone_in_the_mode_auto(server: BatchServer, texts: Texts) -> None:
    """Guards against a wait of hours that saves a cent."""
    assert all(texts.run(*MANY, mode="auto"))
    assert not server.batches
    assert not server.uploads
    assert [batch.remote_state for batch in texts.records.all()] == ["not begun"]


def test_an_interrupted_run_begins_no_batch(server: BatchServer, texts: Texts) -> None:
    """Guards against paying for what was stopped."""
    texts.run(*MANY, interrupted=True)
    assert not server.batches
    assert not texts.records.open()
    texts.run(*MANY)
    assert len(server.batches) == 1


def test_a_budget_holds_for_batches_at_their_price(server: BatchServer, texts: Texts) -> None:
    """Guards against a budget that batches exceed, and against one that the answers of an earlier batch use up."""
    with pytest.raises(StoppedError):
        texts.run(*MANY, budget=Budget(0.02))
    assert not server.batches
    texts.run(*MANY, budget=Budget(10.0))
    assert 0 < texts.records.promised_usd() < 10
    texts.open.look()
    assert all(texts.run(*MANY, budget=Budget(0.0)))
    assert texts.records.promised_usd() == 0


def test_ending_all_batches_keeps_what_they_have_answered(server: BatchServer, texts: Texts) -> None:
    """Guards against paying the full price for what a batch has answered already."""
    server.faults.holds, server.faults.share = True, 0.5
    texts.run(*MANY)
    assert not texts.open.end(lambda: False, 30)
    assert all(texts.run(*MANY, mode="off"))
    assert not server.paid_twice()
    assert 0 < server.paid_in_batches < len(MANY) - 1
