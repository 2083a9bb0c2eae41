"""The commands `seedbank batch ...`: arguments, exit statuses and output."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text

if TYPE_CHECKING:
    from io_managers.store.batches.batch_records import Batch
    from seed_assets.session.session import Session

batch_app = typer.Typer(
    help="Show and cancel requests that wait in batches of the provider, and take in their results.",
    no_args_is_help=True,
)
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The batch, by its id or the beginning of it.")]
# The times of a batch are shown to the minute.
_TIME = "%Y-%m-%d %H:%M"


@batch_app.command("list")
def list_batches(
    every: Annotated[bool, typer.Option("--all", help="Show batches that have ended as well.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the batches that have not ended, as they were when they were last looked at. No request is sent."""
    with open_session(None, home, must_exist=True) as session:
        batches = session.store.batches
        found = batches.all() if every else batches.open()
        if as_json:
            print_json({"batches": [_as_json(batch) for batch in found]})
            return
        for batch in found:
            print_text(_line(batch))
        if not found:
            print_text("No batch is open." if not every else "This home has had no batch.")


@batch_app.command("show")
def show_batch(batch: BatchArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show all that is recorded of a batch. No request is sent."""
    with open_session(None, home, must_exist=True) as session:
        found = _chosen(session, batch)
        if as_json:
            print_json(_as_json(found))
            return
        for name, value in _as_json(found).items():
            if value not in ("", None):
                print_text(f"{name}: {value}")
        if session.open_batches.reached_by(found) is None:
            print_text(
                "No setting names its server any more, so it cannot be looked at. Its requests stay as they are until the former "
                "settings of `[llm]` are used again, or the batch is canceled."
            )


@batch_app.command("cancel")
def cancel_batch(
    batches: Annotated[list[str], typer.Argument(metavar="BATCH...", help="The batches, by their ids.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the provider to end batches. What they have answered by then is paid, and is kept; the rest can be sent again."""
    with open_session(None, home, must_exist=True) as session:
        chosen = [_chosen(session, name) for name in batches]
        open_ones = [one for one in chosen if one.state != "ended"]
        _report(_asked(lambda: session.open_batches.cancel(open_ones)), as_json=as_json)


@batch_app.command("fetch")
def fetch_batches(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look at all open batches, and take in the results of those that have ended. The next seed goes on with them."""
    with open_session(None, home, must_exist=True) as session:
        before = {batch.batch_id for batch in session.store.batches.open()}
        _asked(session.open_batches.look)
        _report([batch for batch in session.store.batches.all() if batch.batch_id in before], as_json=as_json)


def _asked(work: "Callable[[], list[Batch]]") -> "list[Batch]":
    """What the work gives; a server that fails is an error of the command."""
    from resources.errors import ConfigurationError, DocumentError

    try:
        return work()
    except DocumentError as error:
        raise ConfigurationError(f"{error.reason} {error.remedy}") from error


def _report(found: "Sequence[Batch]", *, as_json: bool) -> None:
    if as_json:
        print_json({"batches": [_as_json(batch) for batch in found]})
        return
    for batch in found:
        print_text(_line(batch))
    ended = sum(batch.state == "ended" for batch in found)
    print_text(f"{ended:,} of {len(found):,} ended." if found else "No batch is open.")


def _chosen(session: "Session", name: str) -> "Batch":
    from resources.errors import ConfigurationError

    found = [batch for batch in session.store.batches.all() if name and batch.batch_id.startswith(name)]
    if len(found) != 1:
        which = "is the beginning of several ids" if found else "is the id of none"
        raise ConfigurationError(
            f"{name!r} {which} of the batches of this home; `seedbank batch list --all` lists them."
        )
    return found[0]


def _as_json(batch: "Batch") -> dict[str, Any]:
    from msgspec.structs import asdict

    times = {name: value for name, value in asdict(batch).items() if name.endswith("_at")}
    shown = {name: _time(at) if at else None for name, at in times.items()}
    return {**asdict(batch), **shown}


def _line(batch: "Batch") -> str:
    from resources.wording import counted

    begun = batch.submitted_at or batch.created_at
    state = batch.remote_state or batch.state
    if batch.state == "ended":
        counts = f", {batch.answered:,} answered, {batch.failed:,} failed"
        counts += f", {batch.refused:,} replies refused" if batch.refused else ""
        times = f"ended {_time(batch.ended_at)}"
    else:
        hours = max(0.0, time.time() - begun) / 3600
        counts, times = "", f"for {hours:.1f} hours"
        times += f", until {_time(batch.expires_at)} at the latest" if batch.expires_at else ""
    detail = f" ({batch.detail})" if batch.detail else ""
    requests = counted(batch.requests, "request")
    return f"{batch.batch_id}  {batch.stage}, {batch.model}: {requests}, {state}{detail}{counts}; {times}"


def _time(at: float) -> str:
    return time.strftime(_TIME, time.localtime(at))
