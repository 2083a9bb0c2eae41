"""How a result of a stage differs from an earlier one, in a sentence: by paragraphs, chunks, concepts, claims and so on.

What belongs here: comparing two values by their kind, without regard to which stage made them. What does not: opening values
(explanation), and comparing keys (key_changes). All comparisons take time proportional to the values.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import singledispatch
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resources.wording import counted, shortened
from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, Placed
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.extractions.extraction import Extraction
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.prompting.shown_examples import ShownExamples
from seed_assets.core.reading.document_fields import DocumentFields
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.core.text.chunking import Chunks

_PARAGRAPH = re.compile(r"\n\s*\n")
# How many names a sentence lists, and how many characters of a title it shows.
_NAMED, _TITLE_CHARACTERS = 5, 60


def value_change(before: Any, now: Any) -> str:
    """Return what differs, such as `3 of 40 paragraphs`, without a full stop; "" if nothing does.

    The values of two kinds, as when a stage returns another type than before, are only called different.
    """
    if type(before) is not type(now):
        return "it is a value of another kind"
    return "; ".join(part for part in _difference(before, now) if part)


@singledispatch
def _difference(before: Any, now: Any) -> Iterable[str]:
    """The parts of a sentence about a kind of value that has no words of its own."""
    try:
        same = msgspec.msgpack.encode(before, order="sorted") == msgspec.msgpack.encode(now, order="sorted")
    except (TypeError, msgspec.MsgspecError):
        same = False
    return () if same else ("its value differs",)


@_difference.register
def _(before: ExtractedText, now: ExtractedText) -> Iterable[str]:
    yield of_parts(_PARAGRAPH.split(before.text), _PARAGRAPH.split(now.text), "paragraph")
    yield _renamed("title", before.title, now.title)
    yield _renamed("encoding", before.encoding, now.encoding)
    if before.text == now.text and before.page_starts != now.page_starts:
        yield "the beginnings of pages differ"
    if before.warnings != now.warnings:
        yield f"{counted(len(now.warnings), 'warning')} instead of {len(before.warnings):,}"


@_difference.register
def _(before: Chunks, now: Chunks) -> Iterable[str]:
    # Chunks of equal text may stand at another place after an edit before them.
    old, new = ([chunk.in_context for chunk in one.chunks] for one in (before, now))
    found = of_parts(old, new, "chunk")
    yield found or ("places of chunks in the text" if before.chunks != now.chunks else "")
    yield _renamed("title", before.title, now.title)
    if not found and before.features != now.features:
        yield "what search compares of the chunks"


@_difference.register
def _(before: ShownExamples, now: ShownExamples) -> Iterable[str]:
    old, new = ([one.document_id for one in shown.examples] for shown in (before, now))
    found = _came_and_left(old, new, "example")
    changed = before.examples != now.examples
    yield found or ("the order, the texts or the answers of the examples" if changed else "")
    if before.template != now.template:
        yield "the prompt that shows them"


@_difference.register
def _(before: Concepts, now: Concepts) -> Iterable[str]:
    found = _came_and_left(before.names, now.names, "concept")
    yield found or ("their order, scores or places" if before != now else "")


@_difference.register
def _(before: Summary, now: Summary) -> Iterable[str]:
    yield of_parts(before.text.split(), now.text.split(), "word")
    if before.text == now.text and before.sentences != now.sentences:
        yield "the places of its sentences in the text"


@_difference.register
def _(before: Judgement, now: Judgement) -> Iterable[str]:
    old, new = before.verdict, now.verdict
    yield _renamed("verdict", old.decision, new.decision)
    yield _renamed("score", _score(old.score), _score(new.score))
    yield _renamed("judge", old.judge, new.judge)
    yield _renamed("needs review", _yes(before.needs_review), _yes(now.needs_review))
    if words := of_parts(before.summary.split(), now.summary.split(), "word"):
        yield f"the summary: {words}"
    if changed := of_parts([_claim(one) for one in old.claims], [_claim(one) for one in new.claims], "claim"):
        yield changed
    yield _renamed("title", before.title, now.title)


@_difference.register
def _(before: np.ndarray, now: np.ndarray) -> Iterable[str]:
    if before.shape[1:] != now.shape[1:]:
        yield f"vectors of {_numbers(now)} instead of {_numbers(before)}"
    else:
        yield of_parts([row.tobytes() for row in before], [row.tobytes() for row in now], "vector")


@_difference.register
def _(before: DocumentFields, now: DocumentFields) -> Iterable[str]:
    yield _came_and_left(tuple(before.fields), tuple(now.fields), "field")
    changed = [name for name in now.fields if name in before.fields and before.fields[name] != now.fields[name]]
    yield f"other values of {_some(changed)}" if changed else ""
    if before.problems != now.problems:
        yield f"{counted(len(now.problems), 'problem')} instead of {len(before.problems):,}"


@_difference.register
def _(before: Extraction, now: Extraction) -> Iterable[str]:
    old, new = ([sorted(row.values.items()) for row in one.rows] for one in (before, now))
    if len(old) == len(new) == 1:
        was, is_ = before.rows[0].values, now.rows[0].values
        yield _came_and_left(tuple(was), tuple(is_), "value")
        changed = [name for name in is_ if name in was and was[name] != is_[name]]
        yield f"other values of {_some(changed)}" if changed else ""
    else:
        yield of_parts([repr(row) for row in old], [repr(row) for row in new], "row")
    if old == new and before.rows != now.rows:
        yield "places of quotations"
    if before.warnings != now.warnings:
        yield f"{counted(len(now.warnings), 'warning')} instead of {len(before.warnings):,}"


@_difference.register
def _(before: Clustering, now: Clustering) -> Iterable[str]:
    if len(before.clusters) != len(now.clusters):
        yield f"{counted(len(now.clusters), 'cluster')} instead of {len(before.clusters):,}"
    old, new = before.placements, now.placements
    yield _came_and_left(tuple(old), tuple(new), "document")
    moved = sum(new[one].cluster_id != old[one].cluster_id for one in new.keys() & old.keys())
    yield f"{counted(moved, 'document')} in another cluster" if moved else ""


@_difference.register
def _(before: Placed, now: Placed) -> Iterable[str]:
    for name in {**before.placements, **now.placements}:
        old, new = before.placements.get(name), now.placements.get(name)
        was, is_ = (one.cluster_id or "no cluster" if one else "no place" for one in (old, new))
        yield _renamed(f"cluster by {name}", was, is_)
        if was == is_ and old != new:
            yield f"its nearest documents or strength by {name}"
    yield _came_and_left(before.category_ids, now.category_ids, "category", "categories")


@_difference.register
def _(before: ClusterSummary, now: ClusterSummary) -> Iterable[str]:
    yield _renamed("title", before.title, now.title)
    if words := of_parts(before.summary.split(), now.summary.split(), "word"):
        yield f"the summary: {words}"
    yield _came_and_left(before.concepts, now.concepts, "concept")
    yield _renamed("writer", before.writer, now.writer)


@_difference.register
def _(before: CategorizedConcepts, now: CategorizedConcepts) -> Iterable[str]:
    old, new = ({one.category_id: one for one in value.categories.categories} for value in (before, now))
    yield _came_and_left(tuple(old), tuple(new), "category", "categories")
    changed = sum(old[one] != new[one] for one in old.keys() & new.keys())
    yield f"{counted(changed, 'category', 'categories')} with other concepts" if changed else ""
    moved = sum(before.documents.get(one) != now.documents.get(one) for one in {*before.documents, *now.documents})
    yield f"{counted(moved, 'document')} in other categories" if moved else ""


def of_parts(before: Sequence[Hashable], now: Sequence[Hashable], name: str) -> str:
    """Return how many parts are new and how many are gone, such as `3 of 40 words, 2 gone`; "" if the sequences are equal."""
    if list(before) == list(now):
        return ""
    came, left = (Counter(now) - Counter(before)).total(), (Counter(before) - Counter(now)).total()
    if not came and not left:
        return f"the order of {counted(len(now), name)}"
    if not came:
        return f"{left:,} of {counted(len(before), name)} gone"
    more = f", {abs(came - left):,} {'more' if came > left else 'fewer'} than before" if came != left else ""
    return f"{came:,} of {counted(len(now), name)}{more}"


def _came_and_left(before: Sequence[str], now: Sequence[str], name: str, several: str = "") -> str:
    old, new = set(before), set(now)
    came, left = [one for one in now if one not in old], [one for one in before if one not in new]
    said = [
        f"{counted(len(found), name, several)} {verb} ({_some(found)})"
        for found, verb in ((came, "new"), (left, "gone"))
        if found
    ]
    return ", ".join(said)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(shortened(name, _TITLE_CHARACTERS) for name in names[:_NAMED])}{more}"


def _renamed(what: str, before: str, now: str) -> str:
    if before == now:
        return ""
    return f"{what}: {shortened(before, _TITLE_CHARACTERS) or 'none'} → {shortened(now, _TITLE_CHARACTERS) or 'none'}"


def _claim(claim: Any) -> tuple[str, str, str]:
    return claim.kind, claim.text, claim.status


def _score(score: float | None) -> str:
    return "none" if score is None else f"{score:.2f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _numbers(array: NDArray[Any]) -> str:
    return counted(array.shape[1] if array.ndim > 1 else 1, "number")
