"""What the page of a partition shows of costs: its own, and what did not have to be paid again."""

from io_managers.content_hash import result_metadata
from io_managers.store.action_cache import Provenance
from io_managers.store.values import Result

PAID = Provenance(1.0, 2, 200, 20, 0.5, "", 0, "writer-1", (), 1, 100, 10, 0.25, 0, latencies=(0.5, 0.75, 1.25))


def shown(provenance: Provenance, reason: str) -> dict[str, object]:
    return result_metadata(Result("a.md", "key", "digest", provenance, reason))


def test_a_computed_partition_shows_its_own_latencies_and_what_was_found_inside() -> None:
    """It showed the latencies of the whole run, which say nothing about this document."""
    found = shown(PAID, "the text has changed")
    assert [found[f"latency_{name}_seconds"] for name in ("p50", "p95", "p99")] == [0.5, 0.75, 1.25]
    assert (found["requests"], found["input_tokens"], found["output_tokens"], found["usd"]) == (2, 200, 20, 0.5)
    assert (found["requests_saved"], found["input_tokens_saved"], found["usd_saved"]) == (1, 100, 0.25)


def test_a_reused_partition_has_saved_everything_that_it_is_worth() -> None:
    found = shown(PAID, "")
    assert (found["requests_saved"], found["input_tokens_saved"], found["output_tokens_saved"]) == (3, 300, 30)
    assert found["usd_saved"] == 0.75
    assert "requests" not in found
    assert "usd" not in found
    assert not [name for name in found if name.startswith("latency")]


def test_a_partition_without_requests_shows_no_costs() -> None:
    assert not {"requests", "usd", "requests_saved", "model"} & shown(Provenance(1.0), "new").keys()


def test_an_unknown_price_is_unknown_whatever_is_known_beside_it() -> None:
    unknown = Provenance(1.0, 1, 100, 10, 0.0, "", 1, "writer-1")
    assert shown(unknown, "new")["usd"] == "unknown"
    assert shown(unknown, "")["usd_saved"] == "unknown"
