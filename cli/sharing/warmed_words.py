"""What was brought of some documents, in words and as JSON. Bringing it is in seed_assets.session.warming."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cli.streams import print_error, print_text
from io_managers.plain_text import plain
from resources.wording import counted

if TYPE_CHECKING:
    from seed_assets.session.warming import Warmed

# How many unknown names are shown.
_NAMED = 5


def show_warmed(found: "Warmed") -> None:
    """Print what is here now of the documents, and what is not."""
    print_text(
        f"Of {counted(len(found.documents), 'document')}, everything is here now of {found.whole:,}: "
        f"{counted(found.results, 'result')} and {counted(found.values, 'value')} ({found.bytes / 2**20:,.1f} MB) were brought, "
        f"{counted(found.there, 'result')} had been here."
    )
    if found.missing:
        stages = ", ".join(f"{name} {count:,}" for name, count in found.missing.items())
        print_text(f"Neither here nor in the remote, so that a seed computes them: {stages}.")
    if found.failed:
        print_text(f"{counted(found.failed, 'document')} failed, or wait for a batch: see `seedbank status`.")
    if found.lost:
        print_text(f"The remote has no right value of {counted(found.lost, 'result')}, so a seed computes them.")
    if found.unknown:
        more = f" and {len(found.unknown) - _NAMED:,} more" if len(found.unknown) > _NAMED else ""
        print_error(f"Not in the corpus: {', '.join(map(plain, found.unknown[:_NAMED]))}{more}.")


def warmed_json(found: "Warmed") -> dict[str, Any]:
    """Return the same for --json, with the number of documents."""
    return {**asdict(found), "documents": len(found.documents)}
