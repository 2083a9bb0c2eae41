"""The list of documents whose results have warnings, as `seedbank status` prints it.

Failures are listed in `failure_list`.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resources.wording import counted

if TYPE_CHECKING:
    from seed_assets.planning.warned_documents import WarnedDocument

_NAMED = 20
"""How many documents are named, as in the list of failures."""


def warning_lines(warned: "Sequence[WarnedDocument]") -> Iterator[str]:
    """The heading, and a line for each document with its warnings; at most 20 documents are named."""
    if not warned:
        return
    documents = len({one.document for one in warned})
    yield f"{counted(documents, 'document')} {'was' if documents == 1 else 'were'} read with warnings:"
    for one in warned[:_NAMED]:
        yield f"  {one.document}: {' '.join(one.warnings)}"
    if len(warned) > _NAMED:
        yield f"  and {len(warned) - _NAMED:,} more: `seedbank status --json` lists all."
