"""What people should know although nothing failed: files that were skipped, and documents that were read with warnings.

Failures are listed in `failure_list`.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resources.corpus.formats import remedies_for
from resources.wording import counted

if TYPE_CHECKING:
    from resources.corpus.skipped_files import SkippedFiles
    from seed_assets.planning.warned_documents import WarnedDocument

_NAMED = 20
"""How many documents are named, as in the list of failures."""


def note_lines(skipped: "SkippedFiles", warned: int = 0, without_text: "Sequence[str]" = ()) -> Iterator[str]:
    """What was skipped, what to do with files of certain formats, and how many documents were read with warnings.

    without_text: documents that hold no text.
    """
    if without_text:
        named = ", ".join(without_text[:_NAMED])
        more = f" and {len(without_text) - _NAMED:,} more" if len(without_text) > _NAMED else ""
        holds = "holds no text and is" if len(without_text) == 1 else "hold no text and are"
        yield f"{counted(len(without_text), 'document')} {holds} skipped: {named}{more}."
    if sentence := skipped.sentence():
        yield f"{sentence}."
    yield from remedies_for(skipped.by_suffix)
    if warned:
        were = "was" if warned == 1 else "were"
        yield f"{counted(warned, 'document')} {were} read with warnings: run `seedbank status` to see them."


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
