"""The parser pool: what a crafted document does to a process, done for real, and what it must not do to the others."""

import asyncio
import errno
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from resources.errors import DocumentError
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.reading.extraction import ExtractedText, extract
from seed_assets.core.workers import parser_process, text_tasks
from seed_assets.core.workers.parser_pool import ParserPool

pytestmark = pytest.mark.integration

MEMORY_BYTES = 512 * 1024**2
PARSERS = '''
"""Stands in for the parsers of a pool: does what the document says."""
import ctypes, os, signal, time
from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText

def parse(data, format):
    match data.decode().split():
        case ["hang"]:
            while True: pass
        case ["sleep", seconds]: time.sleep(float(seconds))
        case ["stop"]: os.kill(os.getpid(), signal.SIGSTOP)
        case ["segfault"]: ctypes.string_at(0)
        case ["abort"]: os.abort()
        case ["rust"]: os.write(2, b"memory allocation of 8589934592 bytes failed"); os.abort()
        case ["exit", status]: os._exit(int(status))
        case ["killed"]: os.kill(os.getpid(), signal.SIGKILL)
        case ["memory"]: held = [bytearray(64 << 20) for _ in range(1000)]
        case ["grow"]: held = bytearray(300 << 20); held[::4096] = b"x" * len(held[::4096])
        case ["print"]: print("a library talks" * 10_000); os.write(1, b"and its C part too")
        case ["refuse"]: raise DocumentError("it is refused.", "Ask again.", transient=True)
        case ["bug"]: raise KeyError("a bug of ours")
        case ["ctrl-c"]: os.kill(os.getpid(), signal.SIGINT)
    return ExtractedText(data.decode(), str(os.getpid()))
'''


@pytest.fixture
def pool_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes pools whose workers do what their documents say; closes them."""
    (tmp_path / "obedient_parser.py").write_text(PARSERS)
    monkeypatch.syspath_prepend(tmp_path)
    pools: list[ParserPool] = []

    def make(workers: int = 1, timeout_seconds: float = 30, memory_bytes: int = MEMORY_BYTES) -> ParserPool:
        pools.append(ParserPool(workers, timeout_seconds, memory_bytes, parse="obedient_parser:parse"))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def outcomes(pool: ParserPool, *documents: str) -> list[ExtractedText | BaseException]:
    async def all_at_once() -> list[ExtractedText | BaseException]:
        requests = (pool.extract(document.encode(), "pdf") for document in documents)
        return await asyncio.gather(*requests, return_exceptions=True)

    return asyncio.run(all_at_once())


def text_of(outcome: ExtractedText | BaseException) -> str:
    assert isinstance(outcome, ExtractedText), repr(outcome)
    return outcome.text


def reason_of(outcome: ExtractedText | BaseException) -> str:
    assert isinstance(outcome, DocumentError), repr(outcome)
    assert outcome.remedy
    return outcome.reason


@pytest.mark.parametrize(
    ("document", "reason", "transient"),
    [
        ("segfault", "the parser crashed on it (SIGSEGV).", False),
        ("abort", "the parser crashed on it (SIGABRT).", False),
        ("exit 3", "the parser process ended by itself (status 3) on it.", False),
        ("killed", "the parser process was killed from outside (SIGKILL), as a system short of memory does.", True),
        ("refuse", "it is refused.", True),
    ],
)
def test_a_worker_that_dies_fails_its_document_and_no_other(
    pool_of: Callable[..., ParserPool], document: str, reason: str, transient: bool
):
    before, failed, after = outcomes(pool_of(), "one", document, "two")
    assert (text_of(before), reason_of(failed), text_of(after)) == ("one", reason, "two")
    assert isinstance(failed, DocumentError)
    assert failed.transient is transient


def test_a_document_that_hangs_is_ended_after_the_time_limit(pool_of: Callable[..., ParserPool]):
    failed, after = outcomes(pool_of(timeout_seconds=1), "hang", "next")
    assert reason_of(failed) == "parsing it did not end within 1 seconds."
    assert text_of(after) == "next"


def test_a_hanging_document_holds_up_one_worker_only(pool_of: Callable[..., ParserPool]):
    async def order() -> list[str]:
        pool = pool_of(workers=2, timeout_seconds=4)
        done: list[str] = []

        async def one(document: str) -> None:
            with suppress(DocumentError):
                await pool.extract(document.encode(), "pdf")
            done.append(document)

        await asyncio.gather(one("hang"), *(one(f"document {number}") for number in range(20)))
        return done

    # A pool that it held up would begin no other one before it has ended; the last ones may be late on a busy machine.
    assert asyncio.run(order()).index("hang") > 0


def test_a_parser_that_aborts_for_lack_of_memory_says_so(pool_of: Callable[..., ParserPool]):
    (failed,) = outcomes(pool_of(timeout_seconds=120), "rust")
    assert reason_of(failed) == "parsing it takes more than the 512 MB of memory allowed."


def test_others_go_on_beside_documents_that_are_slow(pool_of: Callable[..., ParserPool]):
    """As many slow documents as there are workers: another worker is started for those that wait."""

    async def order() -> list[str]:
        pool = pool_of(workers=1, timeout_seconds=8)
        done: list[str] = []

        async def one(document: str) -> None:
            with suppress(DocumentError):
                await pool.extract(document.encode(), "pdf")
            done.append(document)

        await asyncio.gather(one("hang"), *(one(f"document {number}") for number in range(5)))
        return done

    assert asyncio.run(order()).index("hang") > 0


def test_work_on_a_text_that_takes_too_long_fails_that_document_by_name(pool_of: Callable[..., ParserPool]):
    pool = pool_of(timeout_seconds=0.3)
    with pytest.raises(DocumentError) as failed:
        asyncio.run(pool.run("summary", 200, "The tide of the river rises. " * 140_000, ""))
    assert failed.value.reason == "choosing sentences for its summary did not end within 0.3 seconds."
    assert "--retry-failed" in failed.value.remedy


def test_work_on_a_text_gives_in_a_worker_what_it_gives_here():
    text = "\n\n".join(
        f"The tide of river {number} rises twice a day, and its harbour lies dry." for number in range(40)
    )
    sources = [SourceText("a.txt", "Tides", text)]

    async def done() -> None:
        with ParserPool(1) as pool:
            assert await pool.run("chunks", 300, 0, text, "Tides") == text_tasks.chunks(300, 0, text, "Tides")
            assert await pool.run("summary", 40, text, "Tides") == text_tasks.summary(40, text, "Tides")
            assert await pool.run("concepts", 5, text, "Tides") == text_tasks.concepts(5, text, "Tides")
            claims = "The tide of river 7 rises twice a day. The tide of river 7 rises thrice a day."
            here = text_tasks.verdict(0.9, 0.5, claims, ["tide"], sources)
            assert await pool.run("verdict", 0.9, 0.5, claims, ["tide"], sources) == here
            assert await pool.run("extracts", [claims], sources, 100) == text_tasks.extracts([claims], sources, 100)
            assert await pool.run("parts", text, 256) == text_tasks.parts_within(text, 256)
            assert await pool.run("fields", text.encode(), "text") == text_tasks.read_fields(text.encode(), "text")
            vectors = await pool.run("vectors", ["tide", "river"])
            assert (vectors.array() == text_tasks.vectors(["tide", "river"]).array()).all()

    asyncio.run(done())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit on the address space")
def test_a_document_that_takes_too_much_memory_is_named_and_its_worker_replaced(pool_of: Callable[..., ParserPool]):
    first, failed, after = outcomes(pool_of(timeout_seconds=120), "one", "memory", "two")
    assert reason_of(failed) == "parsing it takes more than the 512 MB of memory allowed."
    assert isinstance(first, ExtractedText)
    assert isinstance(after, ExtractedText)
    assert first.title != after.title


def test_a_worker_parses_one_document_after_another(pool_of: Callable[..., ParserPool]):
    results = outcomes(pool_of(), *(f"document {number}" for number in range(10)))
    assert [text_of(result) for result in results] == [f"document {number}" for number in range(10)]
    assert len({result.title for result in results if isinstance(result, ExtractedText)}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is measured against a limit that only Linux has")
def test_a_worker_that_has_grown_large_is_replaced(pool_of: Callable[..., ParserPool]):
    grown, after = outcomes(pool_of(), "grow", "two")
    assert isinstance(grown, ExtractedText)
    assert isinstance(after, ExtractedText)
    assert grown.title != after.title


def test_a_worker_killed_while_idle_costs_no_document(pool_of: Callable[..., ParserPool]):
    pool = pool_of()
    (first,) = outcomes(pool, "one")
    assert isinstance(first, ExtractedText)
    os.kill(int(first.title), signal.SIGKILL)
    _eventually(lambda: not _runs(int(first.title)), ())
    (second,) = outcomes(pool, "two")
    assert text_of(second) == "two"


def test_what_a_library_prints_is_not_taken_for_an_answer(pool_of: Callable[..., ParserPool]):
    assert [text_of(outcome) for outcome in outcomes(pool_of(), "print", "two")] == ["print", "two"]


def test_a_worker_does_not_end_at_ctrl_c(pool_of: Callable[..., ParserPool]):
    assert text_of(outcomes(pool_of(), "ctrl-c")[0]) == "ctrl-c"


def test_an_error_in_the_program_is_not_blamed_on_the_document(pool_of: Callable[..., ParserPool]):
    failed, after = outcomes(pool_of(), "bug", "two")
    assert isinstance(failed, RuntimeError)
    assert "KeyError: 'a bug of ours'" in str(failed)
    assert text_of(after) == "two"


def test_workers_that_cannot_start_say_why():
    with ParserPool(parse="no_such_module:parse") as pool:
        (failed,) = outcomes(pool, "one")
    assert isinstance(failed, RuntimeError)
    assert "No module named 'no_such_module'" in str(failed)


def test_a_process_that_cannot_be_started_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch):
    """Warnings are errors in these tests."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOMEM, "no memory")

    with ParserPool() as pool, monkeypatch.context() as changed:
        changed.setattr(parser_process.subprocess, "Popen", refuse)
        with pytest.raises(OSError, match="no memory"):
            asyncio.run(pool.extract(b"one", "pdf"))
        gc.collect()


def test_close_ends_what_is_being_parsed(pool_of: Callable[..., ParserPool]):
    async def close_while_parsing() -> BaseException | ExtractedText:
        pool = pool_of(timeout_seconds=600)
        request = asyncio.create_task(pool.extract(b"hang", "pdf"))
        await asyncio.sleep(0.5)
        pool.close()
        return (await asyncio.gather(request, return_exceptions=True))[0]

    assert "closed" in str(asyncio.run(close_while_parsing()))


def test_a_closed_pool_refuses_documents(pool_of: Callable[..., ParserPool]):
    pool = pool_of()
    pool.close()
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(pool.extract(b"one", "pdf"))


def test_a_pool_serves_several_event_loops_and_a_cancelled_request_leaves_it_usable(pool_of: Callable[..., ParserPool]):
    pool = pool_of()

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.extract(b"sleep 1", "pdf"), 0.2)

    asyncio.run(impatient())
    assert text_of(outcomes(pool, "two")[0]) == "two"


def test_small_texts_start_no_process_and_large_ones_do(pool_of: Callable[..., ParserPool]):
    """The obedient worker gives its own process id as the title; the real extraction gives the first line."""
    pool = pool_of()
    small = asyncio.run(pool.extract(b"A small text", "text"))
    large = asyncio.run(pool.extract("é".encode() * 100_000, "text"))
    assert small.title == "A small text"
    assert large.title.isdigit()


def test_a_pool_that_is_warmed_up_has_one_worker_which_takes_the_first_document(pool_of: Callable[..., ParserPool]):
    pool = pool_of()
    pool.warm_up()
    pool.warm_up()
    end = time.monotonic() + 60
    while not pool._worked and time.monotonic() < end:
        time.sleep(0.05)
    (worker,) = pool._processes
    large = asyncio.run(pool.extract("é".encode() * 100_000, "text"))
    assert large.title == str(worker._process.pid)
    pool.close()
    pool.warm_up()
    assert not pool._processes


def test_an_unknown_format_is_an_error_of_the_caller(pool_of: Callable[..., ParserPool]):
    with pytest.raises(ValueError, match="dvi"):
        asyncio.run(pool_of().extract(b"one", "dvi"))


def test_the_real_parsers_give_the_same_in_a_worker_as_in_this_process():
    page = b"<html><title>Tides</title><body><h1>Tides</h1><p>The sea rises and falls.</p></body></html>"
    with ParserPool(1) as pool:
        assert asyncio.run(pool.extract(page, "html")) == extract(page, "html")
        with pytest.raises(DocumentError, match="not a PDF"):
            asyncio.run(pool.extract(b"no PDF", "pdf"))


@pytest.mark.skipif(sys.platform != "linux", reason="the others have only the alarm, after the time limit")
def test_workers_die_with_a_parent_that_is_killed(pool_of: Callable[..., ParserPool], tmp_path: Path):
    """A worker in an endless loop reads no end of file: without a signal of the kernel it would run for ever."""
    (tmp_path / "obedient_parser.py").write_text(
        PARSERS.replace(
            "while True: pass", "open(NOTE, 'w').write(str(os.getpid()))\n            while True: pass"
        ).replace("NOTE", repr(str(tmp_path / "pid")))
    )
    program = textwrap.dedent(f"""
        import asyncio, sys
        sys.path[:0] = {sys.path!r}
        from seed_assets.core.workers.parser_pool import ParserPool
        asyncio.run(ParserPool(1, 60, parse="obedient_parser:parse").extract(b"hang", "pdf"))
    """)
    parent = subprocess.Popen([sys.executable, "-c", program])
    try:
        worker = _eventually(lambda: int((tmp_path / "pid").read_text() or "0"), (OSError, ValueError))
    finally:
        parent.kill()
        parent.wait()
    _eventually(lambda: not _runs(worker), ())


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_nothing_is_late_because_all_was_stopped_for_a_while(pool_of: Callable[..., ParserPool], tmp_path: Path):
    """A paused container, or a laptop that slept: what was under way goes on where it was."""
    program = textwrap.dedent(f"""
        import asyncio, sys
        sys.path[:0] = {sys.path!r}
        from seed_assets.core.workers.parser_pool import ParserPool
        print("begun", flush=True)
        asyncio.run(ParserPool(1, 10, parse="obedient_parser:parse").extract(b"stop", "pdf"))
        print("done", flush=True)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    tasks = Path(f"/proc/{parent.pid}/task")

    def stopped() -> int:
        children = (int(one) for task in tasks.iterdir() for one in (task / "children").read_text().split())
        return next((child for child in children if _state(child) == "T"), 0)

    try:
        worker = _eventually(stopped, (OSError,))
        parent.send_signal(signal.SIGSTOP)
        time.sleep(11)
        parent.send_signal(signal.SIGCONT)
        time.sleep(1)
        os.kill(worker, signal.SIGCONT)
        output, errors = parent.communicate()
    finally:
        parent.kill()
        parent.wait()
    assert output.split() == ["begun", "done"], errors


def _eventually(probe: Callable[[], int], not_yet: tuple[type[Exception], ...]) -> int:
    for _ in range(600):
        try:
            if value := probe():
                return value
        except not_yet:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 seconds")


def _runs(process_id: int) -> bool:
    try:
        return _state(process_id) != "Z"
    except OSError:
        return False


def _state(process_id: int) -> str:
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
