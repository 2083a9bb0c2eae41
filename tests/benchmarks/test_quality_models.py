"""The measures by which models in folders are compared: right by hand on a few documents."""

import json
import math
from pathlib import Path

import pytest

from benchmarks.quality_models import measure_claims, measure_languages, ndcg, read_claims
from resources.local_models.local_embedder import LocalModelEmbedder
from resources.models.embedder import WordLlamaEmbedder
from tests.support.tiny_models import write_model

SUBJECTS = ("bread rises in warm dough", "trains stop at a red signal", "corals build a reef of chalk")


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Three documents, a claim about each, and one claim that nothing bears on."""
    folder = tmp_path / "claims"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": str(n), "title": text.split()[0], "text": f"{text}. " * 30} for n, text in enumerate(SUBJECTS)]
    queries = [{"_id": str(10 + n), "text": text} for n, text in enumerate((*SUBJECTS, "nothing"))]
    for name, lines in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    judged = "".join(f"{10 + n}\t{n}\t1\n" for n in range(len(SUBJECTS)))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}13\t0\t0\n")
    return folder


def test_a_gain_counts_less_further_down_and_the_best_order_is_one() -> None:
    relevant = frozenset({"a", "b"})
    best = 1 + 1 / math.log2(3)
    assert ndcg(["a", "b", "c"], relevant) == 1
    assert ndcg(["c", "a", "d", "b"], relevant) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)
    assert ndcg(["c", *"defghijkl", "a"], relevant) == 0


def test_claims_without_relevant_documents_are_left_out(claims: Path) -> None:
    found = read_claims(claims)
    assert list(found.claims) == ["10", "11", "12"]
    assert found.relevant["11"] == {"1"}


@pytest.mark.slow
def test_each_embedder_is_measured_with_vectors_of_its_own(claims: Path, tmp_path: Path) -> None:
    data = read_claims(claims)
    bundled = measure_claims(data, None)
    assert bundled["fused"] == bundled["text"] == bundled["vectors"] == 1
    random = measure_claims(data, LocalModelEmbedder(write_model(tmp_path / "model")))
    assert random["text"] == 1
    assert random["vectors"] < 1


def test_the_nearest_in_another_language_is_compared(tmp_path: Path) -> None:
    for code in ("en", "de", "es", "ru", "zh"):
        data = [{"paragraphs": [{"context": text}]} for text in SUBJECTS]
        (tmp_path / f"xquad.{code}.json").write_text(json.dumps({"data": data}))
    found = measure_languages(tmp_path, WordLlamaEmbedder().embed_sync)
    assert found["paragraphs"] == 15
    assert found["as they are"] == 1
