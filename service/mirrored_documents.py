"""What a service knows of documents if it only has the tables that another home publishes: their rows, and texts made of chunks.

What belongs here: reading these rows. What does not: documents of a home that was seeded, whose texts and states are in its
store.
"""

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.session.session import Session

_TABLE, _CHUNKS, _SHOWN = "documents", "chunks", ["title", "text", "start", "end"]
# More chunks than a document of the largest size can have (2,048 MB at 1,000 characters, `max_document_mb`).
_MOST_CHUNKS = 4_000_000


def states_of(session: Session) -> dict[str, dict[str, str]]:
    """The published documents, each with the stage that wrote its row. Raises TableError."""
    stage = next(stage.name for stage in session.pipeline.stages.values() if stage.table == _TABLE)
    names = session.tables.read(_TABLE, ["document_id"])["document_id"].to_pylist()
    return {name: {stage: "current"} for name in names}


def summary_of(session: Session, document: str) -> str:
    """The summary of a document; "" if there is none. Raises TableError."""
    rows = session.tables.rows_where(_TABLE, _is(document), ["summary"], 1)
    return rows[0]["summary"] or "" if rows else ""


def text_of(session: Session, document: str) -> ExtractedText | None:
    """The text of a document, put together from its chunks; None if there is no such document. Raises TableError.

    Every place in it is that of the text. Between chunks there are spaces, as many as the characters that no chunk has.
    """
    rows = session.tables.rows_where(_CHUNKS, _is(document), _SHOWN, _MOST_CHUNKS)
    if not rows:
        return None
    pieces, end = list[str](), 0
    for row in sorted(rows, key=lambda row: row["start"]):
        # Above the text from `start` to `end`, a row may have the header of a table; and neighbours may overlap.
        own = row["text"][len(row["text"]) - (row["end"] - row["start"]) :]
        pieces += [" " * (row["start"] - end), own[max(0, end - row["start"]) :]]
        end = max(end, row["end"])
    return ExtractedText("".join(pieces), rows[0]["title"])


def _is(document: str) -> str:
    quoted = document.replace("'", "''")
    return f"document_id = '{quoted}'"
