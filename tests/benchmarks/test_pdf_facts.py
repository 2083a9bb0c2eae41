"""Facts about PDFs: when each kind holds, and that those about made PDFs do."""

from pathlib import Path

import pytest

from benchmarks.made_pdfs import made_pdfs
from benchmarks.pdf_facts import Fact, FactsOf, cells, measure_facts, order
from benchmarks.reading import main, measure_pdf

TABLE = "Text.\n\n| Gate | Level |\n| --- | --- |\n| East | 1.85 |\n| West | a \\| b |\n\nMore."


@pytest.mark.parametrize(
    ("fact", "holds"),
    [
        (Fact("present", ("Gate | Level",)), True),
        (Fact("present", ("North",)), False),
        (Fact("absent", ("North",)), True),
        (Fact("absent", ("Text.",)), False),
        (Fact("order", ("Text.", "More.")), True),
        (Fact("order", ("More.", "Text.")), False),
        (Fact("order", ("Text.", "North")), False),
        (Fact("cells", ("1.85", "East", "Level")), True),
        (Fact("cells", ("a | b", "West", "Level")), True),
        (Fact("cells", ("1.85", "West", "Level")), False),
        (Fact("cells", ("1.85", "East", "Gate")), False),
    ],
)
def test_a_fact_holds_only_if_it_is_true(fact: Fact, holds: bool) -> None:
    assert fact.holds(TABLE) is holds


def test_facts_are_counted_by_kind_and_those_that_fail_are_named() -> None:
    facts = [*cells([["Gate", "Level"], ["East", "1.85"], ["West", ""]]), *order("Text.", "More.", "Text.")]
    figures = measure_facts([FactsOf("a", b"", facts)], lambda _: TABLE)
    assert figures["cells"] == {"facts": 3, "hold": 1}
    assert figures["order"] == {"facts": 2, "hold": 0.5}
    assert figures["wrong"] == ["a: order More. / Text."]


def test_the_facts_about_made_pdfs_hold() -> None:
    figures = measure_pdf()
    assert figures["pdfs"] == len(list(made_pdfs()))
    assert figures["wrong"] == []
    assert all(figures[kind]["facts"] > 20 for kind in ("present", "absent", "order", "cells"))


def test_the_figures_are_printed_with_those_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pdfjs__helloworld-bad.pdf").write_bytes(b"no PDF")
    main(["pdf", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "cells" in printed
    assert "wrong: pdfjs__helloworld-bad.pdf: present Hello, world!" in printed
