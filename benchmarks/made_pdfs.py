"""PDFs that are made for facts about them: pages with headers, tables, columns, forms, notes and accents.

What belongs here: their content, and what is true of it. What does not: writing a file (tests/support/pdf_files).
"""

from collections.abc import Iterator, Sequence

from benchmarks.pdf_facts import Fact, FactsOf, absent, cells, order, present
from tests.support.pdf_files import Page, at, lines, pdf
from tests.support.pdf_tables import aligned, ruled

_NOUNS = ("harbour", "lantern", "meadow", "granite", "whistle", "orchard")
_GATES = [
    ["Gate", "Keeper", "Level", "Opened"],
    ["East", "Marta", "1.85", "1911"],
    ["West", "Ilse", "2.10", "1904"],
    ["North", "Oskar", "3.70", "1930"],
    ["South", "Ada", "4.15", "1927"],
]
_WIDTHS = [70, 90, 70, 80]


def made_pdfs() -> Iterator[FactsOf]:
    """Return the PDFs with their facts."""
    yield from _paged()
    yield from _tables()
    yield from _without_tables()
    yield from _columns()
    yield from _forms()


def _body(noun: str) -> list[str]:
    return [f"The {noun} is described in sentence {number} of this page." for number in range(12)]


def _paged() -> Iterator[FactsOf]:
    """Reports with a header, a footer, and a sentence that goes on over each page."""
    for name, header, footer in (
        ("both", "Report on the lock of Vellin", "Page {} of 6"),
        ("sides", "", "{} | Lock authority"),
        ("roman", "Of gates and tides", "{}"),
    ):
        roman = ("i", "ii", "iii", "iv", "v", "vi")
        pages = [
            (at(20, 385, header, 9) if header else "")
            + lines(*_body(noun), f"Who kept the {noun} in those", top=350, size=10)
            + at(180, 15, footer.format(roman[number] if name == "roman" else number + 1), 9)
            for number, noun in enumerate(_NOUNS)
        ]
        facts = present(*(_body(noun)[0] for noun in _NOUNS), *(_body(noun)[-1] for noun in _NOUNS))
        facts += order(*(_body(noun)[3] for noun in _NOUNS))
        facts += absent(*(f"those {footer.format(n + 1)} The" for n in range(6)), *([header] if header else []))
        yield FactsOf(f"paged, {name}", pdf(pages, title="Tides and gates"), facts)


def _tables() -> Iterator[FactsOf]:
    before, after = at(20, 375, "Before the table of gates"), at(20, 150, "After the table of gates")
    around = order("Before the table of gates", "Marta", "After the table of gates")
    yield FactsOf("ruled", pdf([before + ruled(_GATES, _WIDTHS) + after]), [*cells(_GATES), *around])
    yield FactsOf("filled", pdf([before + ruled(_GATES, _WIDTHS, fill=True) + after]), [*cells(_GATES), *around])
    yield FactsOf("aligned", pdf([before + aligned(_GATES, _WIDTHS) + after]), [*cells(_GATES), *around])
    wrapped = [
        ["Gate", "Remark", "Level"],
        ["East", "The measure-\nments of the\nlast year", "1.85"],
        ["West", "", "2.10"],
        ["North", "repaired by\nthe smith", ""],
    ]
    joined = [[cell.replace("-\n", "").replace("\n", " ") for cell in row] for row in wrapped]
    yield FactsOf("wrapped", pdf([ruled(wrapped, [90, 120, 80])]), cells(joined))
    merged = [
        ["Gate", "Spring", "Autumn"],
        ["East", "closed", "<"],
        ["West", "1.85", "2.10"],
        ["North", "3.70", "4.15"],
    ]
    facts = cells([[cell.replace("<", "") for cell in row] for row in merged])
    yield FactsOf("merged", pdf([ruled([["Levels of the gates", "<", "<"], *merged], [90, 100, 90])]), facts)
    parts = [[_GATES[0], *_GATES[1:3]], [_GATES[0], *_GATES[3:]]]
    facts = [*cells(_GATES), *order("East", "South", "The end of the report.")]
    yield FactsOf(
        "continued",
        pdf([ruled(parts[0], _WIDTHS), ruled(parts[1], _WIDTHS) + at(20, 90, "The end of the report.")]),
        facts,
    )


def _without_tables() -> Iterator[FactsOf]:
    """What is no table though it stands in columns or between lines."""
    contents = [["The harbour", "3"], ["The gates", "17"], ["Ships", "29"], ["Index", "45"]]
    verse = [
        ["The tide comes in", "Le flot remonte"],
        ["the tide goes out", "le flot descend"],
        ["and all is still", "et tout se tait"],
    ]
    names = [["A. Maid", "B. Reed", "C. Hall"], ["Vellin", "Corran", "Aber"], ["a@b.org", "b@c.org", "c@d.org"]]
    code = [["x = 1", "# first"], ["y = f(x)", "# second"], ["return y", "# last"]]
    items = [["1.", "Open the gate"], ["2.", "Wait for ships"], ["3.", "Close the gate"]]
    for name, rows in (("contents", contents), ("verse", verse), ("names", names), ("code", code), ("items", items)):
        facts = [
            *absent("|"),
            *present(*(cell for row in rows for cell in row)),
            *order(rows[0][0], rows[1][0], rows[2][0]),
        ]
        yield FactsOf(name, pdf([aligned(rows, [150, 120, 80])]), facts)
    framed = "10 200 380 160 re S 200 200 m 200 360 l S 10 330 m 390 330 l S " + lines(
        *_body("lantern"), top=350, size=10
    )
    yield FactsOf("framed prose", pdf([framed]), [*absent("|"), *present(*_body("lantern")[:3])])


def _columns() -> Iterator[FactsOf]:
    for count, across in ((2, 190), (3, 130)):
        columns = [[f"Column {name}, line {n}, has words" for n in range(9)] for name in "abc"[:count]]
        content = "".join(
            at(15 + across * number, 320 - 14 * row, column[row], 7)
            for row in range(9)
            for number, column in enumerate(columns)
        )
        texts = [line for column in columns for line in column]
        yield FactsOf(f"{count} columns by rows", pdf([content]), order(*texts[::3]))


def _forms() -> Iterator[FactsOf]:
    labels = ("Vessel:", "Master:", "Draught:", "Berth:")
    values = ("Corran Maid", "Ada Reed", "1.85 metres", "East 4")
    fields = [_field(f"/FT /Tx /T (f{n}) /V ({value})", 150, 338 - 20 * n, 300) for n, value in enumerate(values)]
    ticked = "/FT /Btn /T (b{}) /V /{} /AS /{} /AP << /N << /On 3 0 R /Off 3 0 R >> >>"
    fields += [_field(ticked.format(n, state, state), 20, 238 - 20 * n, 12) for n, state in enumerate(("On", "Off"))]
    content = "".join(at(20, 340 - 20 * n, label) for n, label in enumerate(labels))
    content += at(40, 240, "Inspected") + at(40, 220, "Greased")
    references = " ".join(f"{12 + n} 0 R" for n in range(len(fields)))
    facts = present(
        *(f"{label} {value}" for label, value in zip(labels, values, strict=True)), "☒ Inspected", "☐ Greased"
    )
    yield FactsOf("form", pdf([Page(content, fields)], catalog=f"/AcroForm << /Fields [{references}] >>"), facts)
    notes = [
        "<< /Type /Annot /Subtype /FreeText /Rect [20 260 200 300] /Contents (Repaired by Marta.) >>",
        "<< /Type /Annot /Subtype /Text /Rect [300 340 320 360] /Contents (Ask the archive.) /T (Ilse) >>",
    ]
    facts = [*order("The gate log", "Repaired by Marta.", "The end", "Ask the archive."), *_accents()]
    content = (
        at(20, 340, "The gate log") + at(20, 200, "The end") + at(20, 100, "The Muller mill") + at(55.3, 100, "\xa8")
    )
    yield FactsOf("notes and accents", pdf([Page(content, notes)]), facts)


def _accents() -> Sequence[Fact]:
    return present("The Müller mill")


def _field(entries: str, left: int, bottom: int, width: int) -> str:
    return f"<< /Type /Annot /Subtype /Widget /Rect [{left} {bottom} {left + width} {bottom + 12}] /F 4 {entries} >>"
