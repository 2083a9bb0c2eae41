"""Facts about PDFs: texts that are read, texts that are not, what comes before what, and which cells stand beside each other.

What belongs here: facts, and whether they hold in a text. What does not: the PDFs that are made for them (made_pdfs), and the
program (reading).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Kind = Literal["present", "absent", "order", "cells"]
KINDS: Sequence[Kind] = ("present", "absent", "order", "cells")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about the text of a PDF.

    texts: one that is present or absent; those that follow each other; or, for cells, a cell, one on its left and its header.
    """

    kind: Kind
    texts: tuple[str, ...]

    def holds(self, text: str) -> bool:
        """Whether the fact is true of a text."""
        if self.kind == "cells":
            return any(_is_beside(table, *self.texts) for table in _tables(text))
        flat = _flat(text)
        if self.kind == "order":
            places = [flat.find(_flat(each)) for each in self.texts]
            return -1 not in places and places == sorted(places)
        return (_flat(self.texts[0]) in flat) == (self.kind == "present")


@dataclass(frozen=True, slots=True)
class FactsOf:
    """A PDF, and what is known of it."""

    name: str
    data: bytes
    facts: Sequence[Fact]


def present(*texts: str) -> list[Fact]:
    """Facts that texts are read."""
    return [Fact("present", (text,)) for text in texts]


def absent(*texts: str) -> list[Fact]:
    """Facts that texts are not read."""
    return [Fact("absent", (text,)) for text in texts]


def order(*texts: str) -> list[Fact]:
    """Facts that each text stands before the next one."""
    return [Fact("order", pair) for pair in pairwise(texts)]


def cells(rows: Sequence[Sequence[str]]) -> list[Fact]:
    """Facts about each cell of a table, whose first row has the headers; the cells of the first column are beside themselves."""
    return [
        Fact("cells", (cell, row[0], rows[0][number])) for row in rows[1:] for number, cell in enumerate(row) if cell
    ]


def measure_facts(pdfs: Sequence[FactsOf], read: Callable[[bytes], str]) -> dict[str, Any]:
    """Return how many facts of each kind there are, the share that holds, and those that do not."""
    found: dict[Kind, list[bool]] = {kind: [] for kind in KINDS}
    wrong: list[str] = []
    for pdf in pdfs:
        text = read(pdf.data)
        for fact in pdf.facts:
            holds = fact.holds(text)
            found[fact.kind].append(holds)
            if not holds:
                wrong.append(f"{pdf.name}: {fact.kind} {' / '.join(fact.texts)}")
    return {
        "pdfs": len(pdfs),
        **{kind: {"facts": len(each), "hold": round(sum(each) / max(len(each), 1), 4)} for kind, each in found.items()},
        "wrong": wrong,
    }


def _flat(text: str) -> str:
    return " ".join(text.split())


def _tables(text: str) -> list[list[list[str]]]:
    """Return the tables in a text, as rows of cells."""
    tables: list[list[list[str]]] = []
    is_row = False
    for line in text.split("\n"):
        if line.startswith("| ") and line.endswith(" |"):
            if not is_row:
                tables.append([])
            if not line.startswith("| --- |"):
                tables[-1].append(
                    [_flat(cell.replace("\0", "|")) for cell in line[1:-1].replace("\\|", "\0").split("|")]
                )
            is_row = True
        else:
            is_row = False
    return tables


def _is_beside(table: Sequence[Sequence[str]], cell: str, left: str, header: str) -> bool:
    """Whether a row has a cell below its header, and begins with another one."""
    numbers = [number for number, each in enumerate(table[0]) if each == _flat(header)]
    return any(
        row[0] == _flat(left) and number < len(row) and row[number] == _flat(cell)
        for row in table[1:]
        for number in numbers
    )


CORPUS: Mapping[str, Sequence[Fact]] = {
    "sample-files__google-doc-document.pdf": [
        *present(
            "Example document",
            "Beautiful is better than ugly.",
            "Namespaces are one honking great idea",
            "2020 estimate",
        ),
        *order("Beautiful is better than ugly.", "Readability counts.", "Namespaces are one honking", "2020 estimate"),
        *(
            Fact("cells", (cell, row, header))
            for row, texts in (("Continent", ("Asia", "Europe")), ("Capital", ("Jakarta", "Berlin", "Vienna", "Paris")))
            for header, cell in zip(("Indonesia", "Germany", "Austria", "France"), texts, strict=False)
        ),
        Fact("cells", ("Vatican City", "Capital", "Vatican")),
        Fact("cells", ("Rupia", "Currency", "Indonesia")),
        Fact("cells", ("EUR (€)", "Currency", "Germany")),
        Fact("cells", ("453", "Population", "Vatican")),
    ],
    "sample-files__GeoTopo-komprimiert.pdf": [
        *present(
            "Dieses Skript wurde im Wintersemester 2013/2014 von Martin Thoma geschrieben",
            "Geometrie und Topologie",
            "Übungsaufgaben",
            "Beispiel 10",
        ),
        *absent("4 1.1. TOPOLOGISCHE RÄUME", "7 1.2. METRISCHE RÄUME", "10 1.3. STETIGKEIT", "| * | * |"),
        *order("Vorwort", "1.1", "1.2", "1.3"),
    ],
    "sample-files__pdflatex-4-pages.pdf": [
        *present(
            "you will get no information. Really?",
            "Is there a difference between this text and some nonsense",
            "This text should contain all letters of the alphabet and it should be written in of the original language.",
        ),
        *absent("you will get no 1 information", "gives 2 you information"),
    ],
    "sample-files__mistitled_outlines_example.pdf": [
        *present("Contents", "1 Foo", "9 Baz", "how the letters are written and an impression of the look"),
        *absent("how the letters are 2 written", "A blind text like this 3 gives"),
        *order("Contents", "9 Baz", "Hello, here is some text"),
    ],
    "sample-files__annotated_pdf.pdf": [
        *present("Some text.", "Not highlighted", "This is a text annotation.", "Highlight comment", "Hello world!"),
        *order("Some text.", "Line 1", "Line 2", "Not highlighted", "This is a text annotation."),
    ],
    "sample-files__with-attachment.pdf": present("Lorem ipsum dolor sit amet", "[Attached file:"),
    "pikepdf__sandwich.pdf": present(
        "The LinnSequencer 32 Track MIDI Sequence Recorder", "performance tool for the professional"
    ),
    "pypdf__r6-empty-password.pdf": present("pdf encryption test", "password: asdfzxcv"),
    "pdfjs__helloworld-bad.pdf": present("Hello, world!"),
    "pdfjs__xref_command_missing.pdf": present("Reduced test-case"),
}
"""Facts about PDFs of public test suites (the file's name is that of the project, two underscores, and its name there)."""
