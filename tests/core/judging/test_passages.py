"""Claims, passages and quotations: what every judge stands on. Offsets are exact, or a quotation proves nothing."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.passages import SourcePassages
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.text.quotations import QuotedText, locate
from seed_assets.core.text.words import WORD, count_words

EMBEDDER = WordLlamaEmbedder()

HARBOUR = SourceText(
    "harbour.txt",
    "The harbour",
    "The harbour was dredged in 1931. It had silted up for decades.\n\nMost boats had moved to Lund by then. "
    "Only the ferry stayed. The ferry's engine was built in Gothenburg.\n"
    "Herring was salted in long sheds. The sheds burned down one night in May. Nobody was hurt.",
)
BEES = SourceText(
    "bees.txt",
    "Bees",
    "A colony of bees keeps its brood at 35 degrees. In winter the bees form a cluster and shiver. "
    "Honey is the fuel of that fire. A colony needs about 20 kilograms of it.",
)


def quoted(quotation: str, text: str) -> str | None:
    found = locate(quotation, text)
    return None if found is None else text[slice(*found)]


@pytest.mark.parametrize(
    ("quotation", "text", "expected"),
    [
        ("the quick fox", "See the quick fox run.", "the quick fox"),
        ("The  quick\nfox", "See the quick fox run.", "the quick fox"),
        ("“the ‘quick’ fox”", "See \"the 'quick' fox\" run.", "the 'quick' fox"),
        ("the quick fox", "See the quick –\n\tfox run.", "the quick –\n\tfox"),
        ("it doesn’t matter", "And it doesn't matter.", "it doesn't matter"),
        ("a good example", "This is a good exam-\nple of it.", "a good exam-\nple"),
        ("co\u00adoperate", "They cooperate.", "cooperate"),
        ("STRASSE", "in der Straße 5", "Straße"),
        ("the first office", "the ﬁrst oﬃce", "the ﬁrst oﬃce"),
        (unicodedata.normalize("NFD", "café crème"), "un café crème", "café crème"),
        ("café crème", unicodedata.normalize("NFD", "un café crème"), unicodedata.normalize("NFD", "café crème")),
        ("她 不知道", "我说她不知道。", "她不知道"),
        ("ไม่รู้", "เขาไม่รู้จัก", "ไม่รู้"),
        ("Привет, мир", "«ПРИВЕТ — мир»", "ПРИВЕТ — мир"),
        ("art", "party art", "art"),
    ],
)
def test_a_quotation_is_found_whatever_its_spaces_signs_case_and_unicode_form(
    quotation: str, text: str, expected: str
) -> None:
    assert quoted(quotation, text) == expected


@pytest.mark.parametrize(
    ("quotation", "text"),
    [
        ("", "text"),
        ("  …!? ", "text …!? text"),
        ("text", ""),
        ("art", "party"),
        ("the rapist", "therapist"),
        ("he did approve", "he did not approve"),
        ("1912", "19 12 and 191 2"),
        ("quick fox", "fox quick"),
        ("word " * 500, "word " * 499),
    ],
)
def test_what_is_not_in_the_text_is_nowhere(quotation: str, text: str) -> None:
    assert locate(quotation, text) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.data())
def test_any_words_of_any_text_are_found_with_exactly_these_words(text: str, data: st.DataObject) -> None:
    words = list(WORD.finditer(text))
    if not words:
        assert locate(text, text) is None or any(sign.isalnum() for sign in text)
        return
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    quotation = text[words[first].start() : words[last].end()]
    found = locate(quotation, text)
    if found is not None:
        place = text[slice(*found)]
        assert QuotedText(quotation).locate(place) is not None
        assert 0 <= found[0] < found[1] <= len(text)
    elif quotation.isascii():
        pytest.fail(f"{quotation!r} is in {text!r}")


def test_many_quotations_are_looked_for_in_a_long_text() -> None:
    text = " ".join(f"Sentence {number} has the word w{number}x." for number in range(20_000))
    quoting = QuotedText(text)
    for number in range(0, 20_000, 500):
        found = quoting.locate(f"sentence {number} HAS the word «w{number}x»")
        assert found is not None
        assert text[slice(*found)] == f"Sentence {number} has the word w{number}x"


def test_claims_are_the_sentences_with_their_white_space_collapsed() -> None:
    assert claims_of("One  is\nhere. Two is there!\n\n- Three") == ["One is here.", "Two is there!", "Three"]


@pytest.mark.parametrize("nothing", ["", " \n\t", "... --- !!!", "\u200b"])
def test_a_text_without_words_claims_nothing(nothing: str) -> None:
    assert claims_of(nothing) == []


def test_a_long_sentence_is_cut_where_it_pauses_and_loses_no_word() -> None:
    part = "the first of many engineers came to the harbour in the spring of that year"
    sentence = f"In the beginning {part}; then {part}, but {part}; later {part}, and {part}."
    claims = claims_of(sentence)
    assert len(claims) > 2
    assert all(count_words(claim) <= 60 for claim in claims)
    assert " ".join(claims).split() == sentence.split()


def test_a_sentence_without_pauses_is_cut_all_the_same() -> None:
    claims = claims_of("word " * 1000)
    assert all(count_words(claim) <= 60 for claim in claims)
    assert sum(count_words(claim) for claim in claims) == 1000
    chinese = claims_of("语" * 1000)
    assert "".join(chinese) == "语" * 1000


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_every_word_is_in_a_claim(text: str) -> None:
    # The markers of list items are no words of the text, and may look like ones.
    assert sum(len(WORD.findall(claim)) for claim in claims_of(f"x{text}")) >= len(WORD.findall(f"x{text}")) * 0.5
    assert all(WORD.search(claim) and claim == " ".join(claim.split()) for claim in claims_of(text))


def test_the_best_passage_is_about_the_claim_and_stands_in_its_source() -> None:
    passages = SourcePassages([HARBOUR, BEES], EMBEDDER)
    best = passages.best("Bees shiver together in the cold season.", 3)
    assert best[0].document_id == "bees.txt"
    assert best[0].title == "Bees"
    assert "shiver" in best[0].text
    by_id = {source.document_id: source.text for source in (HARBOUR, BEES)}
    for passage in best:
        assert by_id[passage.document_id][passage.start : passage.end] == passage.text


def test_passages_are_apart_from_each_other_and_keep_to_one_source() -> None:
    passages = SourcePassages([HARBOUR, BEES], EMBEDDER)
    found = passages.best("The ferry, the sheds and the honey of a colony in May", 50)
    assert len(found) <= 50
    for one in found:
        for other in found:
            if one is not other and one.document_id == other.document_id:
                assert one.end <= other.start or other.end <= one.start


def test_a_claim_that_shares_no_word_gets_passages_all_the_same() -> None:
    assert SourcePassages([HARBOUR], EMBEDDER).best("Xylophones quietly zigzag", 2)
    assert SourcePassages([HARBOUR], EMBEDDER).best("...", 2)


@pytest.mark.parametrize("sources", [[], [SourceText("a", "", "")], [SourceText("a", "", "--- ...")]])
def test_sources_without_a_sentence_have_no_passages(sources: list[SourceText]) -> None:
    assert SourcePassages(sources, EMBEDDER).best("Anything at all.", 3) == []


def test_no_passage_where_none_is_asked_for() -> None:
    assert SourcePassages([BEES], EMBEDDER).best("Bees shiver.", 0) == []


def test_asking_before_does_not_change_the_answer() -> None:
    asked = SourcePassages([HARBOUR, BEES], EMBEDDER)
    for claim in ("The ferry stayed.", "Honey is fuel.", "", "Herring was salted in 1931."):
        asked.best(claim, 4)
    fresh = SourcePassages([HARBOUR, BEES], EMBEDDER)
    assert asked.best("Nobody was hurt in the fire.", 4) == fresh.best("Nobody was hurt in the fire.", 4)


def test_passages_of_unspaced_scripts_are_found() -> None:
    text = "港口于1931年疏浚。大多数船只已经搬走。渡轮的发动机是在哥德堡制造的。鲱鱼在长棚里腌制。"
    best = SourcePassages([SourceText("zh", "", text)], EMBEDDER).best("发动机在哥德堡制造。", 1)
    assert "哥德堡" in best[0].text
    assert text[best[0].start : best[0].end] == best[0].text


def test_equal_sentences_come_in_the_order_of_the_source() -> None:
    text = "The same thing was said.\n\n" * 20
    matches = SourcePassages([SourceText("a", "", text)], EMBEDDER).matches("The same thing was said.", 20)
    assert [match.place for match in matches] == sorted(match.place for match in matches)
    assert all(match.score == 1.0 for match in matches)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=100))
def test_passages_of_any_text_stand_in_it(text: str, claim: str) -> None:
    for passage in SourcePassages([SourceText("a", "", text)], EMBEDDER).best(claim, 5):
        assert text[passage.start : passage.end] == passage.text
        assert passage.text.strip()
