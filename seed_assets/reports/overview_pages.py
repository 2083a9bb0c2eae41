"""Overviews and lists as pages: which blocks each has.

What belongs here: titles, headings and order. What does not: what overviews hold (document_overview, cluster_overview,
result_lists), and the forms of pages.
"""

from collections.abc import Iterator, Sequence

from resources.wording import counted
from seed_assets.reports.cluster_overview import CategoryOverview, ClusterOverview
from seed_assets.reports.document_overview import DocumentOverview
from seed_assets.reports.page import Block, Fields, Heading, Items, Page, Paragraph, Table
from seed_assets.reports.result_lists import ListedCategory, ListedConcept, ListedType
from seed_assets.reports.shown_verdicts import ShownVerdict

# So many of the concepts of a category are named in a list of categories.
_NAMED_CONCEPTS = 6


def document_page(found: DocumentOverview, notes: Sequence[str] = ()) -> Page:
    """A document with its summary, concepts, verdict, clusters and categories. notes: sentences that stand first."""
    return Page(found.title or found.document, [*_notes(notes), *_of_document(found)])


def cluster_page(found: ClusterOverview, notes: Sequence[str] = ()) -> Page:
    """A cluster with its summary, verdict and members. notes: sentences that stand first."""
    return Page(
        f"{found.cluster}: {found.title}" if found.title else found.cluster, [*_notes(notes), *_of_cluster(found)]
    )


def category_page(found: CategoryOverview, notes: Sequence[str] = ()) -> Page:
    """A category with its concepts and documents. notes: sentences that stand first."""
    blocks = [
        *_notes(notes),
        Heading(f"{counted(len(found.concepts), 'concept')}"),
        Items(found.concepts),
        Heading(f"{counted(len(found.documents), 'document')}"),
        Items(found.documents),
    ]
    return Page(f"{found.category}: {found.name}", blocks)


def clusters_page(found: Sequence[ListedType], notes: Sequence[str] = ()) -> Page:
    """All clusters, by type. notes: sentences that stand first."""
    blocks: list[Block] = list(_notes(notes))
    for one in found:
        blocks.append(Heading(f"{one.cluster_type}: {counted(len(one.clusters), 'cluster')}"))
        if one.clusters:
            blocks.append(
                Table(
                    ("cluster", "documents", "verdict", "title"),
                    [
                        (c.cluster, f"{c.documents:,}", f"{c.verdict}{', review' if c.needs_review else ''}", c.title)
                        for c in one.clusters
                    ],
                )
            )
        if one.outliers:
            blocks.append(Paragraph(f"{counted(one.outliers, 'document')} in no cluster."))
    if not found:
        blocks.append(Paragraph("There are no clusters yet. Run `seedbank seed`."))
    return Page("Clusters", blocks)


def categories_page(found: Sequence[ListedCategory], notes: Sequence[str] = ()) -> Page:
    """All categories. notes: sentences that stand first."""

    def concepts(one: ListedCategory) -> str:
        more = len(one.concepts) - _NAMED_CONCEPTS
        return ", ".join(one.concepts[:_NAMED_CONCEPTS]) + (f" and {more:,} more" if more > 0 else "")

    rows = [(one.category, f"{one.documents:,}", one.name, concepts(one)) for one in found]
    table: Block = Table(("category", "documents", "name", "concepts"), rows)
    return Page("Categories", [*_notes(notes), table if rows else Paragraph("There are no categories.")])


def concepts_page(found: Sequence[ListedConcept], most: int, notes: Sequence[str] = ()) -> Page:
    """The concepts of the corpus. most: how many are shown, 0 for all. notes: sentences that stand first."""
    shown = found[:most] if most else found
    has_kinds = any(one.kind for one in shown)
    rows = [(f"{one.documents:,}", f"{one.count:,}", *([one.kind] if has_kinds else []), one.concept) for one in shown]
    columns = ("documents", "mentions", *(["kind"] if has_kinds else []), "concept")
    blocks: list[Block] = [*_notes(notes), Table(columns, rows) if rows else Paragraph("There are no concepts yet.")]
    if len(shown) < len(found):
        blocks.append(
            Paragraph(f"{counted(len(found) - len(shown), 'more concept')}: `--limit 0` and `--format json` show all.")
        )
    return Page("Concepts", blocks)


def _notes(notes: Sequence[str]) -> list[Block]:
    return [Paragraph(note) for note in notes]


def _of_document(found: DocumentOverview) -> Iterator[Block]:
    yield Fields(
        [
            ("document", found.document),
            ("encoding", found.encoding),
            ("length", counted(found.characters, "character")),
            ("pages", f"{found.pages:,}" if found.pages else ""),
            *(("warning", warning) for warning in found.warnings),
        ]
    )
    yield Heading("Summary")
    yield Paragraph(found.summary or "There is none yet.")
    yield from _of_verdict(found.verdict, named=False)
    yield Heading("Concepts")
    if found.concepts:
        rows = [
            (f"{one.name} ({one.kind})" if one.kind else one.name, f"{one.count:,}", one.context)
            for one in found.concepts
        ]
        yield Table(("concept", "mentions", "evidence"), rows)
    else:
        yield Paragraph("There are none.")
    if found.added:
        yield Heading("Own stages")
        yield Fields(list(found.added.items()))
    yield Heading("Clusters")
    if found.clusters:
        yield Items(
            [
                f"{one.cluster}: {one.title} (strength {one.strength:.2f})"
                if one.cluster
                else f"{one.cluster_type}: in none"
                for one in found.clusters
            ]
        )
    else:
        yield Paragraph("It is not placed yet.")
    if found.categories:
        yield Heading("Categories")
        yield Items([f"{one.category}: {one.name}" for one in found.categories])
    if found.nearest:
        yield Heading("Most similar documents")
        rows = [(f"{one.similarity:.2f}", one.document, one.title) for one in found.nearest]
        yield Table(("similarity", "document", "title"), rows)


def _of_cluster(found: ClusterOverview) -> Iterator[Block]:
    written = f"{found.writer}, {found.written_on}" if found.written_on else found.writer
    yield Fields(
        [
            ("cluster", found.cluster),
            ("documents", f"{len(found.members):,}"),
            ("concepts", ", ".join(found.concepts)),
            ("summary by", written),
            ("changed since the summary", f"{found.changed_share:.0%} of the members" if found.changed_share else ""),
        ]
    )
    yield Heading("Summary")
    yield Paragraph(found.summary or "There is none yet.")
    yield from _of_verdict(found.verdict, named=True)
    yield Heading("Members")
    how = dict.fromkeys(found.typical, ", typical") | dict.fromkeys(found.untypical, ", untypical")
    rows = [(f"{one.strength:.2f}{how.get(one.document, '')}", one.document, one.title) for one in found.members]
    yield Table(("strength", "document", "title"), rows)


def _of_verdict(found: ShownVerdict | None, *, named: bool) -> Iterator[Block]:
    """The verdict with its claims. named: whether passages are of several documents, so that theirs is named."""
    yield Heading("Verdict")
    if found is None:
        yield Paragraph("It is not judged yet.")
        return
    yield Paragraph(f"{found.sentence}.")
    claims = [one for one in found.claims if one.kind == "claim"]
    unsupported = [one.claim for one in found.claims if one.kind != "claim" and one.status == "not found"]
    if claims:
        rows = [(one.status, one.claim, one.passage_beside, *([one.document] if named else [])) for one in claims]
        yield Table(("status", "claim", "passage", *(["document"] if named else [])), rows)
    if unsupported:
        yield Paragraph(f"Concepts that were not found in the source: {', '.join(unsupported)}.")
