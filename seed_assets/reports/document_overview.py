"""All that the knowledge base holds of one document, together.

What belongs here: the overview and how it is put together. What does not: how it is printed (overview_pages), and one result by
itself (seed_assets.session.document_result).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from seed_assets.core.concepts.concepts import Concepts
from seed_assets.reports.published_results import PublishedResults
from seed_assets.reports.shown_verdicts import ShownVerdict, shown_verdict

# So many characters stand before and after a concept that is shown in its context (a judgement).
_AROUND = 40


@dataclass(frozen=True, slots=True)
class ShownConcept:
    """A concept of a document.

    evidence: the words of the text from `start` to `end` (characters). context: these words with some before and after them, if
    they only repeat the name. The others: see Concept.
    """

    name: str
    kind: str
    score: float
    count: int
    evidence: str
    context: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClusterOfDocument:
    """The place of a document in one cluster type. cluster: its id; "" for an outlier. title: that of the cluster."""

    cluster_type: str
    cluster: str
    title: str
    strength: float
    others: list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class CategoryOfDocument:
    """A category of a document's concepts."""

    category: str
    name: str


@dataclass(frozen=True, slots=True)
class SimilarDocument:
    """One of the documents that are nearest to a document. similarity: see Placement.nearest."""

    document: str
    title: str
    similarity: float


@dataclass(frozen=True, slots=True)
class DocumentOverview:
    """A document with everything that was made of it.

    characters, pages: the length of its text; pages is 0 for formats without pages. warnings: what its reader says. summary: as
    it was judged, or as it was written if it is not judged yet; "" if there is none. verdict: None if it is not judged yet.
    nearest: the documents most like it, by the first cluster type that knows them. added: the results of stages that users
    add, each in a line, by the names of the stages.
    """

    document: str
    title: str
    encoding: str
    characters: int
    pages: int
    warnings: list[str]
    summary: str
    verdict: ShownVerdict | None
    concepts: list[ShownConcept]
    clusters: list[ClusterOfDocument]
    categories: list[CategoryOfDocument]
    nearest: list[SimilarDocument]
    added: dict[str, str] = field(default_factory=dict[str, str])


def document_overview(
    results: PublishedResults, document: str, title_of: Callable[[str], str] | None = None
) -> DocumentOverview | None:
    """The overview of a document; None if its text is not published or cannot be opened (see PublishedResults.lost).

    title_of: gives the titles of other documents; by default their texts are opened for that.
    """
    text = results.text(document)
    if text is None:
        return None
    judged = results.judgement(document)
    written = results.summary(document) if judged is None else None
    return DocumentOverview(
        document,
        text.title,
        text.encoding,
        len(text.text),
        len(text.page_starts),
        list(text.warnings),
        judged.summary if judged else written.text if written else "",
        shown_verdict(judged, document) if judged else None,
        _concepts(results.concepts(document), text.text),
        _clusters(results, document),
        _categories(results, document),
        _nearest(results, document, title_of or results.title),
        results.added(document),
    )


def _concepts(found: Concepts | None, text: str) -> list[ShownConcept]:
    return [
        ShownConcept(
            one.name,
            one.kind,
            one.score,
            one.count,
            text[one.start : one.end],
            _in_context(text, one.start, one.end) if not one.kind else " ".join(text[one.start : one.end].split()),
            one.start,
            one.end,
        )
        for one in (found.concepts if found else ())
    ]


def _in_context(text: str, start: int, end: int) -> str:
    """The words from `start` to `end` with whole words around them, on one line."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    if start > _AROUND:
        before = f"…{before[before.find(' ') + 1 :]}" if " " in before else "…"
    if end + _AROUND < len(text):
        after = f"{after[: after.rfind(' ')]}…" if " " in after else "…"
    return " ".join(f"{before}{text[start:end]}{after}".split())


def _clusters(results: PublishedResults, document: str) -> list[ClusterOfDocument]:
    placed = results.placed(document)
    return [
        ClusterOfDocument(
            cluster_type,
            found.cluster_id,
            results.cluster_title(found.cluster_id) if found.cluster_id else "",
            found.strength,
            list(found.others),
        )
        for cluster_type, found in (placed.placements.items() if placed else ())
    ]


def _categories(results: PublishedResults, document: str) -> list[CategoryOfDocument]:
    placed, all_of_them = results.placed(document), results.categories()
    names = {one.category_id: one.name for one in all_of_them.categories.categories} if all_of_them else {}
    return [CategoryOfDocument(one, names.get(one, "")) for one in (placed.category_ids if placed else ())]


def _nearest(results: PublishedResults, document: str, title_of: Callable[[str], str]) -> list[SimilarDocument]:
    placed = results.placed(document)
    known = next((one.nearest for one in placed.placements.values() if one.nearest), ()) if placed else ()
    return [SimilarDocument(name, title_of(name), similarity) for name, similarity in known]
