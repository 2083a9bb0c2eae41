"""Concepts that distinguish a group of documents from the rest of the corpus.

What belongs here: the comparison, and which forms are one concept. What does not: finding the concepts of a document
(concepts), finding groups (clustering), summarizing them (cluster_summarizing).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seed_assets.core.text.unicode_forms import normal_form

# Both numbers were chosen by judgement.
# The fewest documents of the group that share a concept.
_SHARED_BY = 2
# A single word is dropped if a longer concept contains it and at least this share of its documents have that concept:
# "hint" is dropped for "type hint".
_GIVES_WAY = 0.5


@dataclass(slots=True)
class _CandidateConcept:
    """One concept in all its forms.

    words: the stems that all forms have in common.
    forms: form -> number of mentions.
    documents: the number of documents of the group that have it.
    ranks: the sum of its places in their lists.
    surprise: the log-likelihood ratio, negative if the group has it less often than the rest.
    """

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
    """Return at most `count` concepts that the group's documents have more often than the rest of the corpus, best first.

    lists: the concepts of each document of the group, best first.
    background: concept -> number of documents of the corpus that have it; at least the group's own documents are assumed.
    documents: the number of documents of the corpus; at least the size of the group is assumed.

    Concepts are ranked by the log-likelihood ratio of two binomials (Dunning, "Accurate Methods for the Statistics of
    Surprise and Coincidence", Computational Linguistics 1993), which compares how often the group and the rest have a
    concept, and is reliable for small counts. Ties are ordered by the number of documents, the rank in their lists, and
    the name. Forms that differ in case or plural are one concept, named after its most frequent form. If all words of one
    concept occur in another, only the better one is returned. Concepts of a single document are returned only if the
    documents share fewer than three concepts.
    """
    candidates = _counted(lists)
    size, total = len(lists), max(documents, len(lists))
    for candidate in candidates:
        in_corpus = sum(background.get(form, 0) for form in _forms(candidate))
        # The sum counts a document twice if it has a concept in two forms, so it is bounded.
        in_corpus = min(max(in_corpus, candidate.documents), total - size + candidate.documents)
        candidate.surprise = round(_surprise(candidate.documents, size, in_corpus, total), 6)
    shared = [candidate for candidate in candidates if candidate.documents >= _SHARED_BY]
    if len(shared) >= min(count, 3):
        candidates = shared
    # Concepts that the rest has more often do not describe the group; they are used only if there are no others.
    candidates = [candidate for candidate in candidates if candidate.surprise >= 0] or candidates
    ranked = sorted(candidates, key=lambda c: (-c.surprise, -c.documents, c.ranks, c.words))
    chosen: list[_CandidateConcept] = []
    for candidate in _without_fragments(ranked):
        if len(chosen) == count:
            break
        words = set(candidate.words)
        if not any(words <= set(other.words) or words >= set(other.words) for other in chosen):
            chosen.append(candidate)
    return tuple(candidate.name for candidate in chosen)


def background_of(lists: Iterable[Sequence[str]], background: Mapping[str, int]) -> dict[str, int]:
    """Return the part of the background that `distinguishing_concepts` needs for these lists."""
    forms = {form for candidate in _counted(lists) for form in _forms(candidate)}
    return {form: background[form] for form in sorted(forms) if form in background}


def _counted(lists: Iterable[Sequence[str]]) -> list[_CandidateConcept]:
    candidates: dict[tuple[str, ...], _CandidateConcept] = {}
    for concepts in lists:
        seen: set[tuple[str, ...]] = set()
        for rank, concept in enumerate(concepts):
            form = " ".join(normal_form("NFC", concept).split())
            words = _words(form)
            if not any(map(str.isalnum, form)):
                continue
            candidate = candidates.setdefault(words, _CandidateConcept(words))
            candidate.forms[form] += 1
            if words not in seen:
                seen.add(words)
                candidate.documents += 1
                candidate.ranks += rank
    return list(candidates.values())


def _forms(candidate: _CandidateConcept) -> set[str]:
    """Return the forms under which the corpus may count a concept: the group's forms, also in singular and plural."""
    found = set(candidate.forms)
    for form in map(str.casefold, candidate.forms):
        found |= {form, f"{form}s", f"{form}es", f"{form[:-1]}ies", form[:-1], form[:-2], f"{form[:-3]}y"}
    return {form for form in found if _words(form) == candidate.words}


def _surprise(inside: int, size: int, in_corpus: int, total: int) -> float:
    """Return the log-likelihood ratio, negative if the group has a concept less often than the rest."""
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


def _without_fragments(ranked: Sequence[_CandidateConcept]) -> list[_CandidateConcept]:
    """Return the candidates except single words that longer candidates contain; see _GIVES_WAY."""
    longer: dict[str, int] = {}
    for candidate in ranked:
        for word in set(candidate.words) if len(candidate.words) > 1 else ():
            longer[word] = max(longer.get(word, 0), candidate.documents)

    def speaks(candidate: _CandidateConcept) -> bool:
        by_longer = min(longer.get(word, 0) for word in candidate.words)
        return len(candidate.words) > 1 or by_longer < max(_SHARED_BY, _GIVES_WAY * candidate.documents)

    return [candidate for candidate in ranked if speaks(candidate)]


def _words(form: str) -> tuple[str, ...]:
    """Return the stems of a form, which are equal for all forms of a concept."""
    return tuple(map(stem, form.casefold().split()))


def stem(word: str) -> str:
    """Return a stem that is mostly the same in singular and plural; it need not be a word."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith(("xe", "che", "she", "sse")) else word
