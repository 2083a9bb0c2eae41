"""Header blocks at the beginning of a text are fields, and none of its prose."""

import pytest

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.clusters.topic_space import TopicDocument, fit_basis
from seed_assets.core.concepts.concepts import StatisticalConceptExtractor
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer
from seed_assets.core.text.header_block import header_end, header_fields

PEP = "PEP: 1\nTitle: Purpose\nAuthor: Barry Warsaw,\n        David Goodger\nPost-History:\n\n\n"
MAIL = "Subject: Trees\nFrom: ada@example.org\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n\n"
POST = "\nauthor: Ada\ntags: figs, apples\n\n"
BODY = (
    "The sourdough starter is the heart of the bakery and of the whole trade in bread. A sourdough starter ferments the flour "
    "and the water before the loaves are shaped, and a sourdough starter needs to rest in the warm bakery.\n"
)


@pytest.mark.parametrize("header", [PEP, MAIL, POST])
def test_the_text_begins_below_its_header_block(header: str) -> None:
    assert (header + BODY)[header_end(header + BODY) :] == BODY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        BODY,
        "Note: the trees are old.\n\n" + BODY,
        "Ada: Where are the trees?\nBen: They are in the wood.\n\n" + BODY,
        "Ada: one\nBen: two\nAda: three\n\n" + BODY,
        "Title: Trees\nAuthor: Ada\n" + BODY,
        "Title: Trees\nAuthor: Ada\n\n\n",
        "https://example.org\nhttps://example.com\n\n" + BODY,
    ],
)
def test_other_beginnings_are_text(text: str) -> None:
    """What is taken for a header is lost for summaries and concepts: talk, notes and texts that are all fields are none."""
    assert header_end(text) == 0


@pytest.mark.parametrize("header", [PEP, MAIL, POST])
def test_the_words_of_a_header_are_in_no_concept_and_no_summary(header: str) -> None:
    """Of 85 titles of clusters of PEPs, 21 were words of their headers."""
    text = header + BODY
    embedder = WordLlamaEmbedder()
    concepts = StatisticalConceptExtractor(embedder).extract_sync(text, "").concepts
    assert concepts[0].name == "sourdough starter"
    assert min(concept.start for concept in concepts) >= len(header)
    assert all(text[concept.start : concept.end].casefold() == concept.name for concept in concepts)
    summary = ExtractiveSummarizer(embedder, 30).summarize_sync(text, "")
    assert summary.sentences
    assert min(start for start, _ in summary.sentences) >= len(header)


def test_documents_are_not_grouped_by_the_words_of_their_headers() -> None:
    vector = WordLlamaEmbedder().embed_sync(["x"])[0]
    header = "Status: Active\nAuthor: Warsaw\n\n"
    documents = [
        TopicDocument(str(place), (header if place < 2 else "") + f"The {word} is here.", vector)
        for place, word in enumerate(["garden", "harbour", "garden", "harbour"])
    ]
    assert set(fit_basis(documents, "test", 0).terms) == {"garde", "harbo"}


@pytest.mark.parametrize(
    ("text", "fields", "below"),
    [
        ("Title: Trees\nTags:\n  figs,\n\tapples\n\nText", [("Title", "Trees"), ("Tags", " figs, apples")], "\nText"),
        ("To: Ada\nTo: Ben", [("To", "Ada"), ("To", "Ben")], ""),
        ("\n\nTítulo: Árbol\n \nText", [("Título", "Árbol")], " \nText"),
        ("Title: Trees\nText\n\n", [], None),
        ("", [], ""),
    ],
)
def test_fields_are_the_lines_before_the_first_empty_one(
    text: str, fields: list[tuple[str, str]], below: str | None
) -> None:
    found, end = header_fields(text)
    assert found == fields
    assert text[end:] == (text if below is None else below)
