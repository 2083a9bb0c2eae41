"""Which examples are shown for a document, and which results become examples."""

from pathlib import Path

import pytest

from resources.models.embedder import WordLlamaEmbedder
from resources.models.tokens import count_tokens
from seed_assets.core.examples.choosing import ExampleChooser
from seed_assets.core.examples.freezing import Candidate, frozen_examples
from seed_assets.core.examples.selection import Example, Selection

BEES = "Honey bees make honey from the nectar of flowers, and the waggle dance tells other bees where the flowers are."
HIVES = "A hive is the house of a colony of bees: wax combs hold the honey and the brood of the queen."
SHIPS = "The harbour was deep enough for sailing ships, and the pilots knew each of its shoals and currents."
BREAD = "Dough of flour, water and salt rises over night, and the baker bakes the bread at dawn in a hot oven."
TEXTS = {"bees.md": BEES, "hives.md": HIVES, "ships.md": SHIPS, "bread.md": BREAD}
QUESTION = "Bees visit flowers for nectar, of which the colony makes honey in the hive."


def example(document: str, text: str) -> Example:
    return Example(document, document, text, {"summary": f"About {document}"})


def chooser(folder: Path, texts: dict[str, str] = TEXTS, *, count: int = 2, tokens: int = 3_000) -> ExampleChooser:
    selection = Selection(folder / "examples.json")
    selection.freeze("summaries", "a", [example(name, text) for name, text in texts.items()])
    return ExampleChooser(Selection(selection.path), "summaries", "a", count, tokens, WordLlamaEmbedder())


def shown(made: ExampleChooser, document: str, text: str) -> list[str]:
    return [one.document_id for one in made.choose(document, text).examples]


def test_the_most_similar_documents_are_shown_the_most_similar_one_first(tmp_path: Path) -> None:
    made = chooser(tmp_path)
    assert shown(made, "new.md", QUESTION) == shown(made, "new.md", QUESTION)
    assert set(shown(made, "new.md", QUESTION)) == {"bees.md", "hives.md"}
    assert shown(made, "new.md", "Sailing ships anchor in a deep harbour.")[0] == "ships.md"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("bees.md", "A text that was rewritten from its first word to its last, about honey, bees and flowers."),
        ("copy.md", BEES),
        ("copy.md", f"# Title\n\n{BEES.upper()}\n\nOne more sentence stands below."),
    ],
    ids=["the document", "a copy", "another version"],
)
def test_a_document_is_never_shown_its_own_result(tmp_path: Path, document: str, text: str) -> None:
    """Its own answer would be repeated, whatever the text says now."""
    made = chooser(tmp_path, count=4)
    assert set(shown(made, document, text)) == {"hives.md", "ships.md", "bread.md"}


def test_the_part_of_the_key_leaves_out_what_is_of_the_document_itself(tmp_path: Path) -> None:
    """The result of one document, frozen or not, is no reason to choose for this document again."""
    whole = chooser(tmp_path)
    (tmp_path / "other").mkdir()
    without = chooser(tmp_path / "other", {name: text for name, text in TEXTS.items() if name != "bees.md"})
    assert whole.digest_beside("bees.md") == without.digest_beside("bees.md")
    assert whole.digest_beside("new.md") != without.digest_beside("new.md")


def test_examples_have_at_most_so_many_tokens(tmp_path: Path) -> None:
    made = chooser(tmp_path, count=4)
    most = made.most_tokens()
    every = made.choose("new.md", QUESTION).examples
    assert len(every) == 4
    assert sum(count_tokens(one.text) + count_tokens(one.answer) for one in every) < most
    few = chooser(tmp_path, count=4, tokens=most // 2)
    assert few.most_tokens() == most // 2
    assert 1 <= len(few.choose("new.md", QUESTION).examples) < 4
    assert chooser(tmp_path, tokens=10).choose("new.md", QUESTION).examples == ()


def test_a_blank_document_and_an_empty_selection_show_nothing(tmp_path: Path) -> None:
    assert shown(chooser(tmp_path), "new.md", " \n ") == []
    assert shown(chooser(tmp_path, {}), "new.md", QUESTION) == []


def test_examples_were_judged_well_and_differ_from_each_other() -> None:
    """Two copies, or ten documents about one thing, would teach less than documents about several things."""
    candidates = [
        Candidate(example("a.md", BEES), 1.0),
        Candidate(example("b.md", BEES), 1.0),
        Candidate(example("c.md", BEES.replace("Honey", "Wild")), 1.0),
        Candidate(example("d.md", SHIPS), 1.0),
        Candidate(example("e.md", BREAD), 0.9),
    ]
    chosen = frozen_examples(candidates, 2, WordLlamaEmbedder())
    assert [one.document for one in chosen] == ["a.md", "d.md"]
    assert frozen_examples(candidates[::-1], 2, WordLlamaEmbedder()) == chosen
    assert [one.document for one in frozen_examples(candidates, 500, WordLlamaEmbedder())] == [
        "a.md",
        "c.md",
        "d.md",
        "e.md",
    ]
    assert frozen_examples([], 5, WordLlamaEmbedder()) == []
