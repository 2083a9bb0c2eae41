"""Measures whether an answer's citations are marked rightly, when a model cites rightly, wrongly, and invents.

What belongs here: the scripted model, and how its sentences are marked. What does not: the offline answer, and whether the
documents answer at all (answers).

For each XQuAD question (English) of every second article, the scripted model gives sentences of five kinds about the one that
holds the answer, over the passages that search finds:

- copied, rephrased (rephrased_texts): with a quotation from the passage; the citation supports them;
- altered in one thing, such as a number or a name (altered_texts): with the same quotation, which does not support them;
- elsewhere: the true sentence with a quotation from another passage, which does not say it;
- invented: the true sentence with a quotation that stands nowhere, so that it has no source.

`precision`: of the sentences that are shown as supported, the share whose citation supports them, with as many of each kind.
`recall`: of those whose citation supports them, the share that is shown as supported.

Run: python -m benchmarks.cited_answers [--corpora DIR]
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from answering.answers import Passage
from answering.drafts import resolved
from answering.model_answers import SentenceAnswer, SourceAnswer, WholeAnswer, drafted
from benchmarks.altered_texts import KINDS, altered
from benchmarks.corpora import find_corpora
from benchmarks.quality_search import Question, as_chunks, read_corpus, write_chunks
from benchmarks.rephrased_texts import rephrased
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from seed_assets.core.text.sentences import split_sentences

_PASSAGES = 8
_QUOTED_WORDS = 25
_SUPPORTED = ("copied", "rephrased")


def measure(corpora: Path) -> dict[str, Any]:
    """Return the figures by name."""
    documents, questions = read_corpus(corpora)
    names = sorted(documents)
    titles = {name: Path(name).stem.split("_", 1)[1].replace("_", " ") for name in documents}
    embedder, chance = WordLlamaEmbedder(), random.Random(0)
    shown: Counter[str] = Counter()
    said: Counter[str] = Counter()
    citations = wrong_places = 0
    with tempfile.TemporaryDirectory() as directory:
        _, searcher = write_chunks(LanceTables(Path(directory)), documents, titles, as_chunks)
        for question in (one for one in questions if names.index(one.document) % 2):
            hits = searcher.search(question.text, _PASSAGES)
            passages = [Passage(h.document, h.title, h.start, h.end, h.text, h.header) for h in hits]
            script = list(_script(question, passages, chance))
            if not script:
                continue
            answer = WholeAnswer(found=True, sentences=[sentence for _, sentence in script])
            draft = drafted(answer, passages, embedder, "scripted")
            for (kind, _), sentence in zip(script, draft.sentences, strict=True):
                said[kind] += 1
                shown[kind] += sentence.supported
            for citation in resolved(draft, dict(enumerate(passages)), 1.0).citations:
                citations += 1
                wrong_places += documents[citation.document][citation.start : citation.end] != citation.text
    shares = {kind: shown[kind] / said[kind] for kind in said}
    right = sum(shares[kind] for kind in _SUPPORTED) / len(_SUPPORTED)
    others = [share for kind, share in shares.items() if kind not in _SUPPORTED]
    return {
        "sentences": dict(said),
        "shown as supported": {kind: round(share, 3) for kind, share in shares.items()},
        "precision": round(right / (right + sum(others) / len(others)), 3),
        "recall": round(right, 3),
        "citations, and those that do not stand in their document": [citations, wrong_places],
    }


def _script(
    question: Question, passages: Sequence[Passage], chance: random.Random
) -> Iterator[tuple[str, SentenceAnswer]]:
    """The sentences that the model gives, by their kind; none if the answer is in no passage, or in no whole sentence."""
    for number, passage in enumerate(passages, 1):
        place = question.answer_start - passage.start
        if passage.document != question.document or not 0 <= place < len(passage.text):
            continue
        spans = [span for span in split_sentences(passage.text) if span[0] <= place < span[1]]
        if not spans:
            return
        text = " ".join(passage.text[slice(*spans[0])].split())
        quotation = " ".join(text.split()[:_QUOTED_WORDS])
        cited = [SourceAnswer(passage=number, quotation=quotation)]
        yield "copied", SentenceAnswer(text=text, sources=cited)
        if (other := rephrased(text, chance)) is not None:
            yield "rephrased", SentenceAnswer(text=other, sources=cited)
        for kind in chance.sample(KINDS, len(KINDS)):
            if (false := altered(text, passage.text, kind, chance)) is not None:
                yield "altered", SentenceAnswer(text=false.text, sources=cited)
                break
        elsewhere = next(at for at in range(1, len(passages) + 1) if at != number)
        there = " ".join(passages[elsewhere - 1].text.split()[:_QUOTED_WORDS])
        yield "elsewhere", SentenceAnswer(text=text, sources=[SourceAnswer(passage=elsewhere, quotation=there)])
        backwards = " ".join(reversed(quotation.split()))
        yield "invented", SentenceAnswer(text=text, sources=[SourceAnswer(passage=number, quotation=backwards)])
        return


def main() -> None:
    """Print all figures as one JSON object."""
    parser = argparse.ArgumentParser(description="Measures whether citations that support nothing are marked.")
    parser.add_argument("--corpora", type=Path, help="the folder of the test corpora")
    print(json.dumps(measure(find_corpora(parser.parse_args().corpora)), indent=2))


if __name__ == "__main__":
    main()
