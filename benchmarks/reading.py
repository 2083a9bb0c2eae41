"""Measures how much of the text of real files is read, and how much besides.

What belongs here: the measurements. What does not: thresholds (tests).

HTML: the evaluation pages of trafilatura (https://github.com/adbar/trafilatura, folder `tests`: evaldata.json, eval, cache).
For each page, people noted a few sentences that belong to its text, and a few that do not. A sentence is found if it is in the
text that was read, with all white space as one space and without soft hyphens and characters of no width. Precision is the
share of the first among all that were found. A page is lost if none of the sentences of its text was found.

The pages are not part of the project: copy the folder `tests` of that repository, and give it as DIRECTORY.

PDF: facts about PDFs that are made for this, and about those PDFs of public test suites that are in DIRECTORY, if it is given
(pdf_facts): texts that are present and absent, which comes first, and which cells of tables stand beside each other.

Run: python -m benchmarks.reading html DIRECTORY [--json] [--every N]
     python -m benchmarks.reading pdf [DIRECTORY] [--json]
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pdf_facts import CORPUS, KINDS, FactsOf, measure_facts
from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.html.inline import without_invisible

_ANNOTATIONS = "evaldata.json"
_FOLDERS = ("cache", "eval")
_SOURCE = "https://github.com/adbar/trafilatura"


@dataclass(frozen=True, slots=True)
class Page:
    """A page, sentences of its text, and sentences that are only beside it."""

    name: str
    data: bytes
    text: Sequence[str]
    beside: Sequence[str]


@dataclass(slots=True)
class Found:
    """What one reader found on all pages."""

    text: int = 0
    of_text: int = 0
    beside: int = 0
    of_beside: int = 0
    pages: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, page: Page, read: str) -> None:
        """Count the sentences of a page that are in what was read of it."""
        read = _flat(read)
        found = sum(_flat(sentence) in read for sentence in page.text)
        self.text += found
        self.of_text += len(page.text)
        self.beside += sum(_flat(sentence) in read for sentence in page.beside)
        self.of_beside += len(page.beside)
        self.pages += 1
        if not found:
            self.lost.append(page.name)

    def figures(self) -> dict[str, Any]:
        """Return the figures as shares."""
        return {
            "text_found": round(self.text / max(self.of_text, 1), 4),
            "beside_found": round(self.beside / max(self.of_beside, 1), 4),
            "precision": round(self.text / max(self.text + self.beside, 1), 4),
            "pages_lost": len(self.lost),
            "share_lost": round(len(self.lost) / max(self.pages, 1), 4),
            "processor_seconds": round(self.seconds, 1),
            "lost": self.lost,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as a table or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("format", choices=["html", "pdf"])
    parser.add_argument("directory", type=Path, nargs="?", metavar="DIRECTORY", help="the evaluation pages, or PDFs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take only every Nth page")
    options = parser.parse_args(arguments)
    if options.format == "pdf":
        facts = measure_pdf(options.directory)
        print(json.dumps(facts, indent=2) if options.json else "\n".join(_fact_lines(facts)))
        return
    if options.directory is None:
        parser.error("html needs the DIRECTORY of the evaluation pages")
    figures = measure_html(list(evaluation_pages(options.directory))[:: options.every])
    print(json.dumps(figures, indent=2) if options.json else "\n".join(_lines(figures)))


def evaluation_pages(directory: Path) -> Iterator[Page]:
    """Return the pages in the order of their addresses. Exits with a message that says what to bring if they are missing."""
    annotations = directory / _ANNOTATIONS
    if not annotations.is_file():
        raise SystemExit(
            f"There is no {_ANNOTATIONS} in {directory}. Clone {_SOURCE}, and give its folder `tests`, which holds "
            f"{_ANNOTATIONS} and the pages in the folders {' and '.join(_FOLDERS)}."
        )
    for name, page in sorted(json.loads(annotations.read_text(encoding="utf-8")).items()):
        places = [directory / folder / page["file"] for folder in _FOLDERS]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise SystemExit(f"The page {page['file']} is in none of the folders {', '.join(_FOLDERS)} of {directory}.")
        yield Page(name, file.read_bytes(), page["with"], page["without"])


def measure_html(pages: Sequence[Page]) -> dict[str, Any]:
    """Return the figures of each reader."""
    readers: Mapping[str, Callable[[bytes], str]] = {"seedbank": _seedbank, "trafilatura": _trafilatura}
    found = {name: Found() for name in readers}
    for page in pages:
        for name, read in readers.items():
            before = time.process_time()
            text = read(page.data)
            found[name].seconds += time.process_time() - before
            found[name].count(page, text)
    return {"pages": len(pages), **{name: each.figures() for name, each in found.items()}}


def measure_pdf(directory: Path | None = None) -> dict[str, Any]:
    """Return the figures of the facts about PDFs."""
    from benchmarks.made_pdfs import made_pdfs

    pdfs = list(made_pdfs())
    if directory is not None:
        found = {name: directory / name for name in CORPUS if (directory / name).is_file()}
        pdfs += [FactsOf(name, file.read_bytes(), CORPUS[name]) for name, file in sorted(found.items())]
    return measure_facts(pdfs, lambda data: _seedbank(data, "pdf"))


def _seedbank(data: bytes, format: str = "html") -> str:
    try:
        return extract(data, format).text
    except DocumentError:  # a page that is refused is a page that is lost
        return ""


def _trafilatura(data: bytes) -> str:
    import trafilatura

    return trafilatura.extract(data, include_comments=False, include_tables=True, include_formatting=False) or ""


def _flat(text: str) -> str:
    return " ".join(without_invisible(text).split())


def _fact_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"{figures['pdfs']} PDFs"
    yield from (f"{kind:8} {figures[kind]['facts']:>4} facts, {figures[kind]['hold']:.1%} hold" for kind in KINDS)
    yield from (f"wrong: {fact}" for fact in figures["wrong"])


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"{figures['pages']} pages"
    yield f"{'':12} {'text found':>10} {'beside found':>12} {'precision':>9} {'lost':>10} {'seconds':>8}"
    for name in ("seedbank", "trafilatura"):
        each = figures[name]
        lost = f"{each['pages_lost']} ({each['share_lost']:.2%})"
        yield (
            f"{name:12} {each['text_found']:>10} {each['beside_found']:>12} {each['precision']:>9} {lost:>10} "
            f"{each['processor_seconds']:>8}"
        )
    yield from (f"lost: {name}" for name in figures["seedbank"]["lost"])


if __name__ == "__main__":
    main()
