"""The full-text index has the words and the stemmer of the language that most texts are in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from resources.tables.lance import LanceTables
from resources.tables.lance_indexes import ensure_indexes
from resources.tables.lance_schema import TABLES
from resources.tables.text_index import TextIndex, text_index_for
from retrieval.candidates import by_text

GERMAN = ["Die Häuser standen am Fluss.", "Ein Hund lief über die Brücke."]
CHINESE = ["机器学习是人工智能的重要方法。", "河上的桥是僧侣建造的。"]


def by_first_word(text: str) -> str:
    """Tell the language of the texts of these tests."""
    return {"D": "de", "E": "de", "机": "zh", "河": "zh", "T": "en", "?": ""}[text[0]]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], TextIndex()),
        (["?"] * 5, TextIndex("simple", "English")),
        (["T"] * 5, TextIndex("simple", "English")),
        (["D"] * 9 + ["T"], TextIndex("simple", "German")),
        (["D"] * 9 + ["?"] * 9, TextIndex("simple", "German")),
        (["D"] * 5 + ["T"] * 5, TextIndex("simple", "English")),
        (["机"] * 5, TextIndex("icu", "English")),
        (["D"] * 9 + ["机"], TextIndex("icu", "German")),
    ],
)
def test_the_index_fits_the_language_of_most_texts(texts: Sequence[str], expected: TextIndex) -> None:
    assert text_index_for(texts, by_first_word) == expected


def plant(tables: LanceTables, texts: Sequence[str]) -> None:
    rows = [
        {
            "chunk_id": f"a.md#{place}",
            "document_id": "a.md",
            "index": place,
            "title": "",
            "text": text,
            "start": 0,
            "end": len(text),
            "vector": np.ones(4, np.float32) / 2,
            "token_ids": [],
            "sentence_ends": [],
            "sentence_lengths": [],
            "content_digest": texts[0],
        }
        for place, text in enumerate(texts)
    ]
    tables.write("chunks", pa.Table.from_pylist(rows, TABLES["chunks"].schema(4)), ["a.md"])
    ensure_indexes(tables, language_of=by_first_word)


def found(tables: LanceTables, query: str) -> list[int]:
    return by_text(tables.open("chunks"), query, 5, ["index"])["index"].to_pylist()


def test_words_are_stemmed_in_the_language_of_the_texts(tmp_path: Path) -> None:
    tables = LanceTables(tmp_path)
    plant(tables, GERMAN)
    assert found(tables, "haus") == [0]
    assert found(tables, "die") == []


def test_words_of_unspaced_scripts_are_found_and_an_index_in_another_language_is_replaced(tmp_path: Path) -> None:
    """A sentence in Chinese was one word: a search for one of its words found nothing."""
    tables = LanceTables(tmp_path)
    plant(tables, GERMAN)
    plant(tables, CHINESE)
    assert found(tables, "人工智能") == [0]
    assert found(tables, "桥") == [1]
    state = tables.state("chunks")
    ensure_indexes(tables, language_of=by_first_word)
    assert tables.state("chunks") == state
