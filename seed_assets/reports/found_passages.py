"""Found passages as people read them: with their page, the part that shows why they were found, and its words marked.

What belongs here: choosing and marking what is shown, and Markdown. What does not: finding and ranking passages (retrieval), and
the layout on a terminal (cli.search).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from io_managers.plain_text import plain, plain_lines
from resources.wording import counted, cut_at_word
from retrieval.hits import SearchHit
from seed_assets.core.clusters.distinguishing import stem
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.words import UNSPACED, WORD
from seed_assets.reports.markdown_form import escaped
from seed_assets.reports.page import Page
from seed_assets.reports.published_results import PublishedResults
from seed_assets.session.session import Session

Span = tuple[int, int]
# So many characters of a passage are shown, and so many documents with a similar passage are named (judgements).
_SHOWN, _NAMED = 200, 5
_ENDINGS, _LEAST_STEM = ("ing", "ed", "er", "ly", "e"), 3
_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A hit as it is shown.

    pages: the numbers of the pages on which it begins and ends, from 1; None for formats without pages. highlights: which
    characters of the passage (`hit.text`) are words of the query, as start and end. lines: what is shown of it, on one line each,
    with the same for each line: the header row of its table, if it begins inside of one, and an excerpt.
    """

    hit: SearchHit
    pages: tuple[int, int] | None
    highlights: list[Span]
    lines: list[tuple[str, list[Span]]]

    @property
    def place(self) -> str:
        """Where the passage is in its document."""
        characters = f"characters {self.hit.start} to {self.hit.end}"
        if self.pages is None:
            return characters
        first, last = self.pages
        return f"page {first:,}, {characters}" if first == last else f"pages {first:,} to {last:,}, {characters}"

    @property
    def title(self) -> str:
        """The title of the document on one line; "" if it has none."""
        return plain(self.hit.title)

    @property
    def alike(self) -> str:
        """Which passages are nearly the same, in a sentence; "" if none is."""
        others = self.hit.alike
        if not others:
            return ""
        names = [plain(name) for name in dict.fromkeys(one.document for one in others)]
        more = f" and {counted(len(names) - _NAMED, 'more document')}" if len(names) > _NAMED else ""
        return f"and {len(others)} like it: {', '.join(names[:_NAMED])}{more}"


def found_passages(session: Session, query: str, hits: Sequence[SearchHit]) -> list[FoundPassage]:
    """The hits with their pages, and with the words of the query marked. Pages are read from the store, if they are there."""
    results = PublishedResults(session)
    page_starts: dict[str, tuple[int, ...]] = {}
    for document in dict.fromkeys(hit.document for hit in hits):
        text = results.text(document)
        page_starts[document] = text.page_starts if text else ()
    return [found_passage(query, hit, page_starts[hit.document]) for hit in hits]


def found_passage(query: str, hit: SearchHit, page_starts: Sequence[int] = ()) -> FoundPassage:
    """One hit as it is shown. page_starts: where in the document's text each page begins, in characters."""
    sought = _sought(query)
    lines = [cut_at_word(row, _SHOWN) for row in plain_lines(hit.header).splitlines()[:1]]
    lines.append(excerpt(hit.text, query))
    pages = bisect_right(page_starts, hit.start), bisect_left(page_starts, hit.end)
    return FoundPassage(
        hit,
        (max(1, pages[0]), max(*pages, 1)) if page_starts else None,
        _marked(hit.text, sought),
        [(line, _marked(line, sought)) for line in lines],
    )


def excerpt(text: str, query: str, characters: int = _SHOWN) -> str:
    """A part of a passage in one line: its beginning, or what begins with the sentence or row with most words of the query.

    The passage of a table or of records has many rows, and its beginning alone would not show why it was found.
    """
    parts = [line for part in _SENTENCE.split(plain_lines(text)) if (line := " ".join(part.split()))]
    sought = _sought(query)
    found = [len({_form(part[start:end]) for start, end in _marked(part, sought)}) for part in parts]
    best = found.index(max(found)) if found else 0
    if len(" ".join(parts[: best + 1])) <= characters:
        best = 0
    # What stands before fills the space that is left.
    while best and len(" ".join(parts[best - 1 :])) + len("… ") <= characters:
        best -= 1
    shown = " ".join(parts[best:])
    return cut_at_word(f"… {shown}" if best else shown, characters)


def markdown_of(query: str, passages: Sequence[FoundPassage]) -> Iterator[str]:
    """Found passages as Markdown, with the words of the query in bold."""
    yield f"# {escaped(Page(query).title)}"
    if not passages:
        yield "\nNothing found."
    for number, found in enumerate(passages, 1):
        name = f"{escaped(found.title)}, {escaped(found.hit.document)}" if found.title else escaped(found.hit.document)
        yield f"\n{number}. **{found.hit.score:.3f}** {name}, {found.place}"
        for line, words in found.lines:
            yield f"\n   {_bold(line, words)}"
        if found.alike:
            yield f"\n   {escaped(found.alike)}"


def _bold(line: str, words: Sequence[Span]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in words:
        pieces += [_kept(line[at:start]), f"**{_kept(line[start:end])}**"]
        at = end
    return "".join((*pieces, _kept(line[at:])))


def _kept(text: str) -> str:
    """A piece of a line as Markdown, with the spaces at its ends."""
    return f"{' ' * text.startswith(' ')}{escaped(text)}{' ' * (text.endswith(' ') and bool(text.strip()))}"


def _sought(query: str) -> frozenset[str]:
    """The words of a query in the form in which they are compared; stop words are left out unless there are no others."""
    words = [found[0] for found in WORD.finditer(query)]
    stops = stop_words(word.casefold() for word in words)
    return frozenset(map(_form, [word for word in words if word.casefold() not in stops] or words))


def _marked(text: str, sought: frozenset[str]) -> list[Span]:
    found = [match.span() for match in WORD.finditer(text) if _form(match[0]) in sought]
    # Scripts without spaces have no words of their own here: what was sought is marked wherever it stands.
    for piece in sought:
        if UNSPACED.search(piece):
            found += [match.span() for match in re.finditer(re.escape(piece), text)]
    return _apart(sorted(found))


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The spans without those that overlap an earlier one."""
    kept: list[Span] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _form(word: str) -> str:
    """A form that is mostly the same for "face", "faces", "faced" and "facing". It only decides what is marked."""
    found = stem(word.casefold())
    ending = next((one for one in _ENDINGS if found.endswith(one) and len(found) - len(one) >= _LEAST_STEM), "")
    return found.removesuffix(ending)
