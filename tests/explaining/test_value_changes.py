"""How two results of one kind differ, in words.

What belongs here: pairs of values of every kind that a stage may return. What does not: where values come
from (test_explanation).
"""

from typing import Any

import msgspec
import numpy as np
import pytest

from resources.settings.config import load_settings
from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.clusters.clusters import Categories, Category, Cluster, Clustering, Placement
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, Placed
from seed_assets.core.concepts.concepts import Concept, Concepts
from seed_assets.core.judging.verdicts import Claim, Judgement, Verdict
from seed_assets.core.maps.pictures import Pictures
from seed_assets.core.prompting.shown_examples import ShownExample, ShownExamples
from seed_assets.core.reading.document_fields import DocumentFields
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.core.text.chunking import Chunk, Chunks
from seed_assets.explaining.value_changes import of_parts, value_change
from seed_assets.graph.stage import Units
from seed_assets.wiring import build_pipeline
from tests.support.plain_runs import without_dagster

TEXT = ExtractedText("One.\n\nTwo.\n\nThree.", "Numbers", "utf-8")
CHUNKS = Chunks("Numbers", (Chunk("One.", 0, 4), Chunk("Two.", 6, 10)))
CONCEPTS = Concepts((Concept("reef", 1.0, 3, 0, 4), Concept("coral", 0.5, 2, 9, 14)))
EXAMPLE = ShownExample("c.md", "C", "Text.", "{}")
SHOWN = ShownExamples((ShownExample("a.md", "A", "Text.", "{}"), ShownExample("b.md", "B", "Text.", "{}")), "sha256:a")
JUDGEMENT = Judgement("It grows.", Verdict("revise", 0.5, (Claim("It grows.", "not found"),), "similarity"))
CLUSTERING = Clustering(
    "topic",
    (Cluster("topic/1", ("a", "b")),),
    {"a": Placement("topic/1", 0.9), "b": Placement("topic/1", 0.8), "c": Placement("", 0.0)},
    2,
    3,
)
PLACED = Placed({"topic": Placement("topic/1", 0.9)}, ("category/1",))
ABOUT = ClusterSummary("Reefs", "They grow slowly.", ("reef",), (), (), "writer", "1", "2026-01-01")
GROUPS = CategorizedConcepts(
    Categories((Category("category/1", "reef", ("reef", "coral")),), 2), {"a": ("category/1",)}
)
FIELDS = DocumentFields({"tags": ("sea",), "author": ("Ann",)})
VECTORS = np.eye(3, 4, dtype=np.float32)
PICTURES = Pictures(b"a", b"b")

DIFFERENCES: list[tuple[Any, Any, str]] = [
    (TEXT, msgspec.structs.replace(TEXT, text="One.\n\n2.\n\nThree."), "1 of 3 paragraphs"),
    (TEXT, msgspec.structs.replace(TEXT, text="One.\n\nTwo."), "1 of 3 paragraphs gone"),
    (
        TEXT,
        msgspec.structs.replace(TEXT, text="Zero.\n\nOne.\n\nTwo.\n\nThree."),
        "1 of 4 paragraphs, 1 more than before",
    ),
    (TEXT, msgspec.structs.replace(TEXT, text="Two.\n\nOne.\n\nThree."), "the order of 3 paragraphs"),
    (
        TEXT,
        msgspec.structs.replace(TEXT, title="", encoding="cp1252"),
        "title: Numbers → none; encoding: utf-8 → cp1252",
    ),
    (TEXT, msgspec.structs.replace(TEXT, page_starts=(0, 6)), "the beginnings of pages differ"),
    (TEXT, msgspec.structs.replace(TEXT, warnings=("A page is blank.",)), "1 warning instead of 0"),
    (CHUNKS, Chunks("Numbers", (CHUNKS.chunks[0], Chunk("2.", 6, 8))), "1 of 2 chunks"),
    (CHUNKS, Chunks("Numbers", (CHUNKS.chunks[0], Chunk("Two.", 8, 12))), "places of chunks in the text"),
    (
        CONCEPTS,
        Concepts((CONCEPTS.concepts[0], Concept("fish", 0.5, 2, 9, 13))),
        "1 concept new (fish), 1 concept gone (coral)",
    ),
    (CONCEPTS, Concepts(CONCEPTS.concepts[::-1]), "their order, scores or places"),
    (SHOWN, ShownExamples((SHOWN.examples[1], EXAMPLE), "sha256:a"), "1 example new (c.md), 1 example gone (a.md)"),
    (
        SHOWN,
        ShownExamples(SHOWN.examples[::-1], "sha256:b"),
        "the order, the texts or the answers of the examples; the prompt that shows them",
    ),
    (Summary("Corals grow."), Summary("Corals die."), "1 of 2 words"),
    (
        Summary("Corals grow.", ((0, 12),)),
        Summary("Corals grow.", ((5, 17),)),
        "the places of its sentences in the text",
    ),
    (
        JUDGEMENT,
        Judgement("It grows.", Verdict("accept", 1.0, (Claim("It grows.", "supported"),), "similarity")),
        "verdict: revise → accept; score: 0.50 → 1.00; 1 of 1 claim",
    ),
    (
        JUDGEMENT,
        msgspec.structs.replace(JUDGEMENT, summary="It dies.", needs_review=True),
        "needs review: no → yes; the",
    ),
    (VECTORS, VECTORS[:2], "1 of 3 vectors gone"),
    (VECTORS, np.vstack([VECTORS[:2], -VECTORS[:1]]), "1 of 3 vectors"),
    (VECTORS, np.eye(3, 5, dtype=np.float32), "vectors of 5 numbers instead of 4 numbers"),
    (
        FIELDS,
        DocumentFields({"tags": ("sea", "reef"), "year": ("90",)}),
        "1 field new (year), 1 field gone (author); other values",
    ),
    (
        CLUSTERING,
        msgspec.structs.replace(CLUSTERING, placements={**CLUSTERING.placements, "c": Placement("topic/1", 0.5)}),
        "1 document in another cluster",
    ),
    (CLUSTERING, msgspec.structs.replace(CLUSTERING, clusters=()), "0 clusters instead of 1"),
    (PLACED, Placed({"topic": Placement("topic/2", 0.9)}, ("category/1",)), "cluster by topic: topic/1 → topic/2"),
    (
        PLACED,
        Placed({"topic": Placement("topic/1", 0.4)}, ()),
        "its nearest documents or strength by topic; 1 category gone",
    ),
    (ABOUT, msgspec.structs.replace(ABOUT, title="Corals"), "title: Reefs → Corals"),
    (
        GROUPS,
        CategorizedConcepts(Categories((), 2), {}),
        "1 category gone (category/1); 1 document in other categories",
    ),
    (PICTURES, Pictures(b"a", b"c"), "its value differs"),
    (TEXT, CONCEPTS, "it is a value of another kind"),
]


@pytest.mark.parametrize(("before", "now", "said"), DIFFERENCES, ids=[said for *_, said in DIFFERENCES])
def test_a_difference_is_named_by_what_a_value_consists_of(before: Any, now: Any, said: str) -> None:
    assert value_change(before, now).startswith(said)


@pytest.mark.parametrize("value", [before for before, _, _ in DIFFERENCES[:-1]], ids=lambda value: type(value).__name__)
def test_equal_values_do_not_differ(value: Any) -> None:
    copied = value.copy() if isinstance(value, np.ndarray) else msgspec.structs.replace(value)
    assert value_change(value, copied) == ""


@pytest.mark.usefixtures("own_environment")
def test_every_kind_of_value_of_a_stage_is_tried() -> None:
    """A new kind of value would be called different, and nobody would see how."""
    with without_dagster([]):
        pipeline = build_pipeline(load_settings({"clusters": {"types": ["topic", "field:tags"]}}))
    inputs = {name for stage in pipeline.of_units(*Units) for name in stage.upstream}
    kinds = {stage.returns for stage in pipeline.stages.values() if stage.name in inputs}
    tried = {type(before) for before, _, _ in DIFFERENCES}
    assert not {kind for kind in kinds if isinstance(kind, type)} - tried


def test_a_sentence_lists_few_names() -> None:
    many = Concepts(tuple(Concept(f"concept {i}", 1.0, 1, 0, 1) for i in range(40)))
    assert value_change(Concepts(()), many).endswith("concept 4 and 35 more)")
    assert of_parts("abc", "abd", "letter") == "1 of 3 letters"
