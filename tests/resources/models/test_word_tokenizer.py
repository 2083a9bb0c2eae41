"""Encoding word by word: the tokens are those of the whole text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from resources.models import word_tokenizer
from resources.models.embedder import bundled_file
from resources.models.word_tokenizer import WordTokenizer

WORDS = WordTokenizer(bundled_file("tokenizers"))
WHOLE = Tokenizer.from_file(str(bundled_file("tokenizers")))
PIECES = [
    *(" ", "  ", "\u2581", "\n", "\n\n", "\r\n", "\t", "\xa0", "\u3000", "\x00", "\u2028"),
    *(
        "a",
        "the",
        "The",
        "1",
        "23",
        "-",
        ".",
        "\"');\r",
        "é",
        "\u0300",
        "ﬁ",
        "中",
        "文",
        "ت",
        "Z",
        "😀",
        "²",
        "_",
        "foo_bar",
        "x1y",
    ),
    *("<s>", "</s>", "<unk>", "<0x0A>", "<"),
]


def _whole(text: str) -> list[int]:
    return WHOLE.encode(text, add_special_tokens=False).ids


def test_no_token_of_the_vocabulary_crosses_the_end_of_a_word() -> None:
    tokens = [token for token in WHOLE.get_vocab() if not re.fullmatch("<0x..>|<s>|</s>|<unk>", token)]
    assert [token for token in tokens if word_tokenizer._WORD.findall(token) != [token]] == []


@pytest.mark.slow
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_a_text_of_odd_pieces_has_the_same_tokens_by_words(text: str) -> None:
    assert WORDS.ids(text).tolist() == _whole(text)


@pytest.mark.slow
@given(st.text())
def test_any_text_has_the_same_tokens_by_words(text: str) -> None:
    assert WORDS.ids(text).tolist() == _whole(text)


def test_words_that_were_forgotten_are_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_tokenizer, "_KEPT_WORDS", 3)
    words = WordTokenizer(bundled_file("tokenizers"))
    text = "to be or not to be, that is the question whether " * 3 + "x" * 100
    assert words.ids(text).tolist() == words.ids(text).tolist() == _whole(text)
