"""The sets from which the weights of the offline judge are learnt, and with which it is measured.

What belongs here: reading the sets, and making claims wrong. What does not: learning (judge_weights) and figures (judge_figures).

Two sets are files that people put into a folder of their own:

- CLIFF_error_types.csv: 600 summaries of news by BART and Pegasus, with errors that people marked (Cao and Wang, EMNLP 2021,
  in the form of AggreFact, Tang et al., ACL 2023).
- mturk_cnndm.jsonl, mturk_xsum.jsonl: 474 summaries of news by models; three people said for each sentence whether the article
  supports it (QAGS: Wang, Cho and Lewis, ACL 2020).
"""

import csv
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.altered_texts import KINDS, altered
from benchmarks.antonyms import Antonyms
from benchmarks.rephrased_texts import rephrased
from seed_assets.core.judging.claims import claims_of

UNCHANGED, REPHRASED = "unchanged", "rephrased"


@dataclass(frozen=True, slots=True)
class RatedSummary:
    """A summary by a model. part: the part of the set. is_faithful: whether people found no error in it."""

    part: str
    source: str
    text: str
    is_faithful: bool


@dataclass(frozen=True, slots=True)
class EditedClaim:
    """A claim of a summary, as it was or changed.

    summary: the number of the summary. place: that of the claim in it. kind: UNCHANGED, REPHRASED, or how it was made wrong.
    """

    summary: int
    place: int
    source: str
    text: str
    kind: str

    @property
    def is_right(self) -> bool:
        """Whether the claim still says what it said."""
        return self.kind in (UNCHANGED, REPHRASED)


def cliff(folder: Path) -> Iterator[RatedSummary]:
    """Yield the summaries of CLIFF; its parts are cnndm and xsum."""
    csv.field_size_limit(sys.maxsize)
    with (folder / "CLIFF_error_types.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            yield RatedSummary(row["origin"], row["doc"], row["summ"], row["error_type"] == "correct")


def qags(folder: Path) -> Iterator[RatedSummary]:
    """Yield the summaries of QAGS. One is faithful if most people said so of each of its sentences."""
    for part in ("cnndm", "xsum"):
        for line in (folder / f"mturk_{part}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            sentences = row["summary_sentences"]
            answers = [[one["response"] == "yes" for one in sentence["responses"]] for sentence in sentences]
            yield RatedSummary(
                part,
                row["article"],
                " ".join(sentence["sentence"] for sentence in sentences),
                all(2 * sum(said) > len(said) for said in answers),
            )


def edited_claims(
    summaries: Iterable[tuple[str, str]], antonyms: Antonyms, chance: random.Random
) -> Iterator[EditedClaim]:
    """Yield the claims of each summary unchanged, one of them rephrased, and one made wrong in each way that is possible.

    summaries: pairs of a source and a text.
    """
    for number, (source, text) in enumerate(summaries):
        claims = claims_of(text)
        for place, claim in enumerate(claims):
            yield EditedClaim(number, place, source, claim, UNCHANGED)
        others = [(place, other) for place, claim in enumerate(claims) if (other := rephrased(claim, chance))]
        if others:
            place, other = chance.choice(others)
            yield EditedClaim(number, place, source, other, REPHRASED)
        for kind in (*KINDS, "antonym", "negated word"):
            for place in chance.sample(range(len(claims)), len(claims)):
                wrong = _wrong(claims[place], source, kind, antonyms, chance)
                if wrong is not None:
                    yield EditedClaim(number, place, source, wrong, kind)
                    break


def _wrong(claim: str, source: str, kind: str, antonyms: Antonyms, chance: random.Random) -> str | None:
    if kind in KINDS:
        found = altered(claim, source, kind, chance)
    else:
        found = antonyms.exchanged(claim, chance, prefixed=kind == "negated word")
    return None if found is None else found.text
