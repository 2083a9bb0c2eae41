"""Which concepts set a group of documents apart from the rest of the corpus.

What belongs here: the contrast, and which forms are one concept. What does not: finding the concepts of a document
(concepts), finding groups (clustering), describing them (cluster_summarizing).
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_SHARED_BY = 2
# A shorter form gives way to a longer one that so large a part of its documents have: "hint" to "type hint".
_GIVES_WAY = 0.5


@dataclass(slots=True)
class _Candidate:
    """One concept in all its forms. documents: in the group; ranks: the sum of its places in their lists."""

    words: tuple[str, ...]
    forms: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    ranks: int = 0
    surprise: float = 0.0

    @property
    def name(self) -> str:
        return min(self.forms, key=lambda form: (-self.forms[form], form))


def distinguishing_concepts(
    lists: Sequence[Sequence[str]], background: Mapping[str, int], documents: int, count: int
) -> tuple[str, ...]:
    """At most `count` concepts that the group's documents have more often than the corpus, best first.

    lists: the concepts of each document of the group, best first. background: concept -> documents of the corpus that
    have it; documents: in the corpus. What is missing in either is taken from the group.

    Ranked by the log-likelihood ratio of two binomials (Dunning, "Accurate Methods for the Statistics of Surprise and
    Coincidence", Computational Linguistics 1993): it weighs how often the group has a concept against how seldom
    others do, and is sound for small counts. Equal ones by how many documents have them, how high they stand there, and
    name. Forms that differ in case, or in the plural of a word, are one concept, called by the most frequent; of two
    that hold each other's words one is named. What one document alone has is named only where little is shared.
    """
    candidates = _counted(lists)
    size, total = len(lists), max(documents, len(lists))
    for candidate in candidates:
        in_corpus = sum(background.get(form, 0) for form in _forms(candidate))
        # Who has a concept in two forms is counted twice there.
        in_corpus = min(max(in_corpus, candidate.documents), total - size + candidate.documents)
        candidate.surprise = round(_surprise(candidate.documents, size, in_corpus, total), 6)
    shared = [candidate for candidate in candidates if candidate.documents >= _SHARED_BY]
    if len(shared) >= min(count, 3):
        candidates = shared
    # What others have more often says nothing of the group, unless there is nothing else to say.
    candidates = [candidate for candidate in candidates if candidate.surprise >= 0] or candidates
    ranked = sorted(candidates, key=lambda c: (-c.surprise, -c.documents, c.ranks, c.words))
    chosen: list[_Candidate] = []
    for candidate in _without_fragments(ranked):
        if len(chosen) == count:
            break
        words = set(candidate.words)
        if not any(words <= set(other.words) or words >= set(other.words) for other in chosen):
            chosen.append(candidate)
    return tuple(candidate.name for candidate in chosen)


def _counted(lists: Iterable[Sequence[str]]) -> list[_Candidate]:
    candidates: dict[tuple[str, ...], _Candidate] = {}
    for concepts in lists:
        seen: set[tuple[str, ...]] = set()
        for rank, concept in enumerate(concepts):
            form = " ".join(unicodedata.normalize("NFC", concept).split())
            words = _words(form)
            if not any(map(str.isalnum, form)):
                continue
            candidate = candidates.setdefault(words, _Candidate(words))
            candidate.forms[form] += 1
            if words not in seen:
                seen.add(words)
                candidate.documents += 1
                candidate.ranks += rank
    return list(candidates.values())


def _forms(candidate: _Candidate) -> set[str]:
    """What the corpus may count it under: the group's forms, and their last word in singular and plural."""
    found = set(candidate.forms)
    for form in map(str.casefold, candidate.forms):
        found |= {form, f"{form}s", f"{form}es", f"{form[:-1]}ies", form[:-1], form[:-2], f"{form[:-3]}y"}
    return {form for form in found if _words(form) == candidate.words}


def _surprise(inside: int, size: int, in_corpus: int, total: int) -> float:
    """The log-likelihood ratio, negative where the group has it less often than the others."""
    outside, others = in_corpus - inside, total - size
    ratio = 2 * (
        _log_likelihood(inside, size, inside / size)
        + _log_likelihood(outside, others, outside / others if others else 0.0)
        - _log_likelihood(inside, size, in_corpus / total)
        - _log_likelihood(outside, others, in_corpus / total)
    )
    return ratio if inside * others >= outside * size else -ratio


def _log_likelihood(hits: int, trials: int, share: float) -> float:
    misses = trials - hits
    return (hits * math.log(share) if hits else 0.0) + (misses * math.log(1 - share) if misses else 0.0)


def _without_fragments(ranked: Sequence[_Candidate]) -> list[_Candidate]:
    """Those that no longer one speaks for."""
    longer: dict[str, int] = {}
    for candidate in ranked:
        for word in set(candidate.words) if len(candidate.words) > 1 else ():
            longer[word] = max(longer.get(word, 0), candidate.documents)

    def speaks(candidate: _Candidate) -> bool:
        by_longer = min(longer.get(word, 0) for word in candidate.words)
        return len(candidate.words) > 1 or by_longer < max(_SHARED_BY, _GIVES_WAY * candidate.documents)

    return [candidate for candidate in ranked if speaks(candidate)]


def _words(form: str) -> tuple[str, ...]:
    """The same for all forms of one concept."""
    return tuple(map(_stem, form.casefold().split()))


def _stem(word: str) -> str:
    """What singular and plural share, mostly; no word to show."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith(("xe", "che", "she", "sse")) else word
