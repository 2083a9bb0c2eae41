"""Measures the offline judge on texts from which none of its weights was learnt.

What belongs here: the figures. What does not: the sets (judge_sets) and learning (judge_weights).

Summaries by models: QAGS. The figures are the AUC of the confidence, of the score and of trigrams alone, and the precision of the
decision to accept. Facts: claims of summaries by people of stories (SQuALITY), of faithful summaries of QAGS, and sentences of
XQuAD's paragraphs, in each of which one fact is changed; the figure is the balanced accuracy of "supported or copied", with the
share of each kind of change that is accepted wrongly. A summary as a whole is accepted or not: the same by its decision.

Run: python -m benchmarks.judge_figures --sets DIR --wordnet /usr/share/wordnet [--corpora DIR] [--json]
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.antonyms import Antonyms
from benchmarks.corpora import find_corpora
from benchmarks.judge_sets import UNCHANGED, EditedClaim, RatedSummary, edited_claims, qags
from benchmarks.judging import auc, lines_of, scored, story_summaries
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.copied_wording import copied_wording
from seed_assets.core.judging.judging import SimilarityJudge
from seed_assets.core.judging.verdicts import SourceText

_SEED = 20261201
_DRAWN = 120


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description="Measures the judge without a model on other texts than it learnt from."
    )
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.sets, arguments.wordnet, find_corpora(arguments.corpora))
    print(json.dumps(figures, indent=2) if arguments.json else "\n".join(lines_of(figures)))


def measure(sets: Path, wordnet: Path, corpora: Path) -> dict[str, Any]:
    """Return the figures by set."""
    judge = SimilarityJudge(WordLlamaEmbedder())
    chance, antonyms = random.Random(_SEED), Antonyms(wordnet)
    rated = list(qags(sets))
    stories, summaries = story_summaries(corpora / "judge_squality")
    texts = {
        "facts in news": [(one.source, one.text) for one in rated if one.is_faithful],
        "facts in stories": [(stories[one.source], one.text) for one in chance.sample(summaries, _DRAWN)],
        "facts in sentences": list(_sentences(corpora / "qa_xquad" / "docs_en", chance)),
    }
    parts = {part: [one for one in rated if one.part == part] for part in ("cnndm", "xsum")}
    figures: dict[str, Any] = {f"summaries of {name}": _rated(judge, some) for name, some in parts.items()}
    return figures | {name: _facts(judge, list(edited_claims(some, antonyms, chance))) for name, some in texts.items()}


def _sentences(folder: Path, chance: random.Random) -> Iterable[tuple[str, str]]:
    for path in sorted(folder.iterdir()):
        text = path.read_text("utf-8")
        for sentence in chance.sample(claims := claims_of(text), min(2, len(claims))):
            yield text, sentence


def _rated(judge: SimilarityJudge, summaries: Sequence[RatedSummary]) -> dict[str, Any]:
    verdicts = [judge.judge_sync(one.text, (), [SourceText("", "", one.source)]) for one in summaries]
    measures = {
        "confidence_auc": [scored(verdict) for verdict in verdicts],
        "score_auc": [1.0 if verdict.score is None else verdict.score for verdict in verdicts],
        "trigrams_auc": [copied_wording([one.text], [one.source])[one.text].trigrams for one in summaries],
    }
    accepted = [one.is_faithful for one, verdict in zip(summaries, verdicts, strict=True) if verdict.is_accepted]
    found: dict[str, Any] = {"summaries": len(summaries), "faithful": sum(one.is_faithful for one in summaries)}
    for name, values in measures.items():
        good, bad = (
            [value for value, one in zip(values, summaries, strict=True) if one.is_faithful == kind]
            for kind in (True, False)
        )
        found[name] = auc(good, bad)
    return found | {"accepted": len(accepted), "precision_of_accept": _share(accepted)}


def _facts(judge: SimilarityJudge, claims: Sequence[EditedClaim]) -> dict[str, Any]:
    of_source: dict[str, list[EditedClaim]] = defaultdict(list)
    for one in claims:
        of_source[one.source].append(one)
    supported: dict[str, list[bool]] = defaultdict(list)
    texts: dict[bool, list[bool]] = {True: [], False: []}
    for source, some in of_source.items():
        statuses = {
            claim.text: claim.is_supported
            for claim in judge.judge_sync(
                "\n\n".join(one.text for one in some), (), [SourceText("", "", source)]
            ).claims
        }
        for one in some:
            supported[one.kind].append(all(statuses.get(part, False) for part in claims_of(one.text)))
        for is_right, accepted in _as_a_whole(judge, some):
            texts[is_right].append(accepted)
    right = [one for kind in (UNCHANGED,) for one in supported[kind]]
    wrong = [one for kind, some in supported.items() if kind not in (UNCHANGED, "rephrased") for one in some]
    return {
        "claims": len(right),
        "changed": len(wrong),
        "false_alarms": round(1 - _share(right), 3),
        "balanced_accuracy": round((_share(right) + 1 - _share(wrong)) / 2, 3),
        "whole_summaries_balanced_accuracy": round((_share(texts[True]) + 1 - _share(texts[False])) / 2, 3),
        "rephrased_accepted": _share(supported["rephrased"]),
        "wrongly_accepted": {
            kind: f"{_share(some)} of {len(some)}"
            for kind, some in sorted(supported.items())
            if kind not in (UNCHANGED, "rephrased")
        },
    }


def _as_a_whole(judge: SimilarityJudge, claims: Sequence[EditedClaim]) -> Iterable[tuple[bool, bool]]:
    """Yield (whether a summary is right, whether it is accepted) for each summary, as it was and with each change."""
    summaries: dict[int, list[EditedClaim]] = defaultdict(list)
    for one in claims:
        summaries[one.summary].append(one)
    for some in summaries.values():
        whole = {one.place: one.text for one in some if one.kind == UNCHANGED}
        for change in (None, *(one for one in some if not one.is_right)):
            text = "\n\n".join((whole | ({} if change is None else {change.place: change.text})).values())
            verdict = judge.judge_sync(text, (), [SourceText("", "", some[0].source)])
            yield change is None, verdict.is_accepted


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / max(1, len(values)), 3)


if __name__ == "__main__":
    main()
