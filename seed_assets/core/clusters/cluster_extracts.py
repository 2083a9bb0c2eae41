"""Titles and sentences of a cluster, taken from its members. What belongs here: which concepts, titles and sentences are taken.
What does not: which members are typical (arranged_members), which concepts distinguish a cluster (distinguishing), and the
summary (cluster_summarizing).
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec
import numpy as np

from resources.models.embedder import LocalEmbedder
from seed_assets.core.clusters.arranged_members import ArrangedMembers, spread_of_members
from seed_assets.core.clusters.cluster_members import MOST_TITLE_WORDS, ClusterMaterial
from seed_assets.core.clusters.distinguishing import background_of, distinguishing_concepts
from seed_assets.core.reading.titles import cleaned_title
from seed_assets.core.text.mmr import choose, spread
from seed_assets.core.text.phrases import find_phrases
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.words import count_words

# The numbers of this module were chosen by judgement.
# The most concepts of a cluster, and of a title.
_CONCEPTS, _TITLE_CONCEPTS = 10, 3
# The most members, sentences, and characters per member that are read: comparing 600 sentences with each other, which is
# quadratic, takes 20 ms.
_READ_MEMBERS, _READ_SENTENCES, _READ_CHARACTERS = 150, 600, 4_000
# The least and most words of a sentence that can be selected.
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
# A cluster without sentences is summarized by so many titles of its members.
_SHOWN_TITLES = 10
# The weight of a sentence's score against its difference from the sentences chosen before; see mmr.choose.
_RELEVANCE = 0.6
# The most that naming concepts adds to a sentence's score, which is 0 to 1 without it.
_NAMES_CONCEPT = 0.4
# The least similarity of two sentences of one document, so that a summary prefers several documents.
_SAME_MEMBER = 0.6
_STOPS = frozenset(".!?。｡।۔։።！？…؟")
_CLOSERS = "\"'”’»›)]}」』）】*_`"


def extract_of(arranged: ArrangedMembers, concepts: Sequence[str], words: int, embedder: LocalEmbedder) -> str:
    """Return sentences of the members in at most `words` words: those of more typical members first, which name the concepts."""
    candidates = _sentences(arranged, words)
    if not candidates:
        titles = filter(None, (cleaned_title(member.title) for member in arranged.members[:_SHOWN_TITLES]))
        return _first_words("; ".join(titles), words)
    sentences = [sentence for _, sentence in candidates]
    vectors = embedder.embed_sync(sentences)
    folded = [sentence.casefold() for sentence in sentences]
    names = [concept.casefold() for concept in concepts[:5]]
    named = np.array([sum(name in sentence for name in names) for sentence in folded], dtype=np.float64)
    scores = spread((vectors @ arranged.centre).astype(np.float64)) + _NAMES_CONCEPT * np.minimum(named, 2) / 2
    similarity = np.maximum(vectors @ vectors.T, 0.0).astype(np.float64)
    whose = np.array([place for place, _ in candidates])
    similarity[(whose[:, None] == whose) & (similarity < _SAME_MEMBER)] = _SAME_MEMBER
    costs = np.array([count_words(sentence) for sentence in sentences])
    chosen = choose(np.round(spread(scores), 5), np.round(similarity, 5), costs, budget=words, relevance=_RELEVANCE)
    return _joined([sentences[place] for place in sorted(chosen)])


def needed(material: ClusterMaterial) -> ClusterMaterial:
    """Return the part of the material that is used: of up to 100,000 concepts in the corpus, the members have only some."""
    members = tuple(msgspec.structs.replace(member, text=member.text[:_READ_CHARACTERS]) for member in material.members)
    background = background_of([member.concepts for member in members], material.background)
    return msgspec.structs.replace(material, members=members, background=background)


def concepts_of(material: ClusterMaterial, count: int = _CONCEPTS) -> tuple[str, ...]:
    """Return the concepts that distinguish a cluster from the rest of the corpus, best first."""
    members = sorted(material.members, key=lambda member: (member.document_id, member.title, member.text))
    lists = [member.concepts for member in members]
    return distinguishing_concepts(lists, material.background, material.documents, count)


def title_of(material: ClusterMaterial, arranged: ArrangedMembers, concepts: Sequence[str]) -> str:
    """Return a title of the concepts, else of phrases that titles of members share, else the most typical member's title."""
    titles = [cleaned_title(member.title) for member in arranged.members]
    file_names = (cleaned_title(PurePosixPath(member.document_id).stem) for member in arranged.members)
    return (
        _listed(concepts)
        or _listed(_shared_phrases(titles))
        or _first_words(next(filter(None, titles), ""), MOST_TITLE_WORDS)
        or next(filter(None, file_names), material.cluster_id)
    )


def _shared_phrases(titles: Sequence[str]) -> list[str]:
    phrases = [[phrase.name for phrase in find_phrases(title)[0]] for title in titles]
    common = distinguishing_concepts(phrases, {}, 0, _TITLE_CONCEPTS)
    return [phrase for phrase in common if sum(phrase in names for names in phrases) > 1]


def _listed(concepts: Sequence[str]) -> str:
    """Return a title of at most three concepts and eight words; "" if no concept is short enough."""
    taken: list[str] = []
    for concept in concepts:
        words = count_words(" ".join([*taken, concept]))
        if words <= MOST_TITLE_WORDS and len(taken) < _TITLE_CONCEPTS:
            taken.append(concept)
    return ", ".join(taken)


def _sentences(arranged: ArrangedMembers, words: int) -> list[tuple[int, str]]:
    """Return (place of the member, sentence), those of typical members first; if there is prose, only prose."""
    longest = min(words, _LONGEST_WORDS)
    prose: dict[str, int] = {}
    pieces: dict[str, int] = {}
    for place in sorted(spread_of_members(arranged, _READ_MEMBERS)):
        text = arranged.members[place].text[:_READ_CHARACTERS]
        for span in split_sentences(text):
            sentence = " ".join(text[slice(*span)].split())
            if min(words, _SHORTEST_WORDS) <= count_words(sentence) <= longest and _ends(sentence):
                prose.setdefault(sentence, place)
            for piece in split_long(text, span, longest):
                pieces.setdefault(" ".join(text[slice(*piece)].split()), place)
    return [(place, sentence) for sentence, place in (prose or pieces).items()][:_READ_SENTENCES]


def _ends(sentence: str) -> bool:
    return sentence.rstrip(_CLOSERS)[-1:] in _STOPS


def _joined(sentences: Sequence[str]) -> str:
    """Join sentences into one paragraph; after a sentence without a full stop, a new paragraph begins."""
    text = ""
    for sentence in sentences:
        text += sentence if not text else f" {sentence}" if _ends(text) else f"\n\n{sentence}"
    return text


def _first_words(text: str, words: int) -> str:
    return text[: split_long(text, (0, len(text)), words)[0][1]] if text else ""
