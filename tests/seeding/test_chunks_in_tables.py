"""What is embedded and written of chunks that begin inside a table.

What belongs here: what stages and tables get of a chunk's header. What does not: where a table is cut
(tests/core/text/test_chunks_of_tables), and how such rows are found (tests/retrieval/test_search).
"""

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import table
from tests.support.pipelines import World

GATES = [["Gate", "Level", "Note"], *([f"Gate {n}", f"{n} m", f"It was seen in year {n}"] for n in range(80))]
HEADER = "| Gate | Level | Note |\n| --- | --- | --- |"


@pytest.mark.slow
def test_rows_and_vectors_have_the_header_and_offsets_lead_to_the_text_alone(plain_world: World) -> None:
    """A row of numbers was found by none of the words that say what they mean, or a citation was moved by the header."""
    plain_world.write("gates.md", f"# Gates\n\nAll gates of the harbour.\n\n{table(GATES)}\n")
    seeded = plain_world.seed()
    assert seeded.report.exit_code == 0
    with plain_world.session() as session:
        ref = session.store.refs.get("extracted_text", ["gates.md"])["gates.md"]
        text = session.store.load(ref.content_digest, ExtractedText).text
    rows = [row for row in plain_world.rows("chunks") if row["document_id"] == "gates.md"]
    parts = [text[row["start"] : row["end"]] for row in rows]
    assert all(row["text"].endswith(part) for row, part in zip(rows, parts, strict=True))
    inside = [
        row["text"].removesuffix(part) for row, part in zip(rows, parts, strict=True) if part.startswith("| Gate ")
    ]
    assert len(inside) > 3
    assert inside[1:] == [f"{HEADER}\n"] * (len(inside) - 1)
    assert {row["text"] for row in rows} <= {*seeded.embedded}

    arguments = ["gates.md", "chunks", "--home", str(plain_world.home)]
    shown = json.loads(CliRunner().invoke(app, ["show", "--json", *arguments]).stdout)["value"]["chunks"]
    assert [chunk["text"] for chunk in shown] == [text[chunk["start"] : chunk["end"]] for chunk in shown]
    assert [chunk.get("header", "") for chunk in shown if chunk["text"].startswith("| Gate ")][1:] == [HEADER] * (
        len(inside) - 1
    )
