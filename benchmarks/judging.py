"""Measures how good the judge without a model is, on summaries by people and on the same summaries made wrong by a program.

What belongs here: the measurements. What does not: the alterations (altered_texts), thresholds (tests).

Summaries: 200 of the 400 that people wrote about the stories in judge_squality, and the abstracts of the 212 PEPs of its subset;
the source of an abstract is its PEP without the abstract. Extracts: the offline summaries of the same PEPs, which are copied
sentences.

Own source: each summary is judged with its own source and with a random other one; the figure is the AUC of the confidence.
Wrong: each summary is altered in one place, in each way. Caught is the share of altered claims that are not supported. False
alarms are the share of claims of the unaltered texts that are not supported. Rated: 300 summaries by people and by two systems,
with people's ratings of their correctness. The figures are Spearman's correlation of the confidence with the ratings, and the
AUC of the confidence for summaries by people against those by systems.

Run: python -m benchmarks.judging [--json] [--corpora DIR]
"""

import argparse
import csv
import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.altered_texts import KINDS, altered
from benchmarks.corpora import find_corpora
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.judging import SimilarityJudge
from seed_assets.core.judging.verdicts import SourceText, Verdict
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer

_SEED = 20240229
_DRAWN = 200
_LEAST_ABSTRACT_WORDS = 30
_ABSTRACT = re.compile(r"^Abstract\n=+\n(.*?)^\S[^\n]*\n=+\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class StorySummary:
    """A text, and the name of the source that it is about."""

    source: str
    text: str


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures the judge without a model.")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(find_corpora(arguments.corpora))
    print(json.dumps(figures, indent=2) if arguments.json else "\n".join(lines_of(figures)))


def measure(corpora: Path) -> dict[str, Any]:
    """Return the figures of each corpus, by name."""
    embedder = WordLlamaEmbedder()
    judge = SimilarityJudge(embedder)
    summarizer = ExtractiveSummarizer(embedder)
    stories, summaries = story_summaries(corpora / "judge_squality")
    bodies, abstracts = pep_abstracts(corpora / "peps")
    extracts = [StorySummary(one.source, summarizer.summarize_sync(bodies[one.source], "").text) for one in abstracts]
    return {
        "stories": _measured(judge, stories, summaries),
        "abstracts": _measured(judge, bodies, abstracts),
        "extracts": _measured(judge, bodies, extracts),
        "rated": _rated(judge, stories, corpora / "judge_squality" / "human_ratings.csv"),
    }


def _measured(judge: SimilarityJudge, sources: Mapping[str, str], summaries: Sequence[StorySummary]) -> dict[str, Any]:
    chance = random.Random(_SEED)
    summaries = chance.sample(summaries, min(_DRAWN, len(summaries)))
    names = sorted(sources)
    started = time.perf_counter()
    own = [_judged(judge, sources, one.source, one.text) for one in summaries]
    seconds = time.perf_counter() - started
    others = [
        _judged(judge, sources, chance.choice([name for name in names if name != one.source]), one.text)
        for one in summaries
    ]
    claims = [claim for verdict in own for claim in verdict.claims]
    return {
        "summaries": len(summaries),
        "ms_a_summary": round(1000 * seconds / len(summaries), 1),
        "about_its_source_auc": auc([scored(one) for one in own], [scored(one) for one in others]),
        "mean_confidence": round(statistics.fmean(scored(one) for one in own), 3),
        "mean_confidence_in_others": round(statistics.fmean(scored(one) for one in others), 3),
        "decisions": dict(sorted(Counter(one.decision for one in own).items())),
        "false_alarms": round(sum(not claim.is_supported for claim in claims) / len(claims), 3),
        "caught": _caught(judge, sources, summaries, chance),
    }


def _caught(
    judge: SimilarityJudge, sources: Mapping[str, str], summaries: Sequence[StorySummary], chance: random.Random
) -> dict[str, dict[str, float]]:
    flagged: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for one in summaries:
        right = set(claims_of(one.text))
        wrong = {kind: altered(one.text, sources[one.source], kind, chance) for kind in KINDS}
        changed = {kind: [c for c in claims_of(text.text) if c not in right] for kind, text in wrong.items() if text}
        verdict = _judged(judge, sources, one.source, "\n\n".join(claim for some in changed.values() for claim in some))
        supported = {claim.text for claim in verdict.claims if claim.is_supported}
        for kind, some in changed.items():
            flagged[kind].append(not supported.issuperset(some))
    return {
        kind: {"altered": len(some), "share": round(sum(some) / max(1, len(some)), 3)} for kind, some in flagged.items()
    }


def _rated(judge: SimilarityJudge, stories: Mapping[str, str], path: Path) -> dict[str, Any]:
    rows = _rows(path)
    scores = [scored(_judged(judge, stories, row["passage_id"], row["summary"])) for row in rows]
    people = [score for row, score in zip(rows, scores, strict=True) if row["system"] == "human"]
    systems = [score for row, score in zip(rows, scores, strict=True) if row["system"] != "human"]
    ratings = [float(row["correctness_mean"]) for row in rows]
    return {"summaries": len(rows), "by_people_auc": auc(people, systems), "spearman": _spearman(scores, ratings)}


def _judged(judge: SimilarityJudge, sources: Mapping[str, str], name: str, text: str) -> Verdict:
    return judge.judge_sync(text, (), [SourceText(name, "", sources[name])])


def story_summaries(root: Path) -> tuple[dict[str, str], list[StorySummary]]:
    """Return the stories of judge_squality by name, and the summaries by people."""
    stories = {
        row["passage_id"]: (root / "docs" / row["file"]).read_text("utf-8") for row in _rows(root / "documents.csv")
    }
    return stories, [
        StorySummary(row["passage_id"], row["reference"]) for row in _rows(root / "reference_summaries.csv")
    ]


def pep_abstracts(root: Path) -> tuple[dict[str, str], list[StorySummary]]:
    """Return the PEPs of the subset of 212 without their abstracts, by name, and the abstracts."""
    bodies: dict[str, str] = {}
    abstracts: list[StorySummary] = []
    for name in (root / "subset_212.txt").read_text("utf-8").split():
        path = root / "docs" / name.rpartition("/")[2]
        text = re.split(r"\n\s*\n", path.read_text("utf-8"), maxsplit=1)[1]
        found = _ABSTRACT.search(text)
        if found and len(found[1].split()) >= _LEAST_ABSTRACT_WORDS:
            bodies[path.stem] = text[: found.start()] + text[found.end(1) :]
            abstracts.append(StorySummary(path.stem, found[1].strip()))
    return bodies, abstracts


def scored(verdict: Verdict) -> float:
    """Return the confidence in a text; 1 if all of it is copied."""
    return 1.0 if verdict.confidence is None else verdict.confidence


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return the probability that one of the higher values is above one of the lower; ties count half."""
    wins = sum((high > low) + 0.5 * (high == low) for high in higher for low in lower)
    return round(wins / (len(higher) * len(lower)), 3)


def _spearman(left: Sequence[float], right: Sequence[float]) -> float:
    from scipy.stats import rankdata

    return round(statistics.correlation(rankdata(left).tolist(), rankdata(right).tolist()), 3)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def lines_of(figures: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return figures as indented lines."""
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", *lines_of(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:22} {value}")
    return lines


if __name__ == "__main__":
    main()
