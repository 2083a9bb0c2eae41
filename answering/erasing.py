"""Finds and erases what answers have of documents: kept retrievals, the answers from their passages, questions and conversations.

A retrieval holds the passages that were found, each with its document. An answer is keyed by digests of its passages, by which
those of a document are recognised. Whatever was asked with such an answer as an earlier turn may repeat it, and goes as well;
and a conversation goes as a whole.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from answering.answers import Question, Reply
from answering.asked import Asked
from answering.drafts import Draft
from answering.passages import Retrieved, digest_of
from answering.steps import ANSWER, RETRIEVAL, STANDALONE
from io_managers.store.errors import CorruptObjectError, MissingObjectError, UnknownFormatError
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.traces import Outcome, Traces
from io_managers.store.store import Store

_MARKS = re.compile(r"\s*\[\d+\]")


class Answers:
    """The answers of one home."""

    def __init__(self, store: Store, asked: Asked) -> None:
        self._store = store
        self._asked = asked

    def results(self, mentions: Mentions) -> set[str]:
        """The keys of all steps of answers that hold something of the documents. Raises StoreUnavailableError."""
        documents, passages, found = set(mentions.documents), set[str](), set[str]()
        for key, retrieved in self._values(RETRIEVAL, Retrieved):
            own = {digest_of(one) for one in retrieved.passages if one.document in documents}
            if own:
                passages |= own
                found.add(key)
        chosen = {choice.chosen for choice in self._asked.choices_of(documents).values()}
        steps = [(key, parts) for stage in (ANSWER, STANDALONE) for key, parts in self._parts(stage)]
        for key, parts in steps:
            used = tuple(parts.get("passages", ()))
            if not passages.isdisjoint(used) or (used and used in chosen):
                found.add(key)
        while True:
            words = self._words(found)
            turns = ((key, parts.get("turns", ())) for key, parts in steps if key not in found)
            more = {key for key, asked in turns if any(_plain(answer) in words for _, answer in asked)}
            if not more:
                return found
            found |= more

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Erase the questions and the conversations. The steps themselves are results, see `results`."""
        documents, words = set(traces.documents), self._words(traces.keys)

        def was_asked_with(question: Question) -> bool:
            named = traces.mentions.in_bytes(msgspec.msgpack.encode(question))
            return named or any(_plain(turn.answer) in words for turn in question.turns)

        def is_of(reply: Reply) -> bool:
            return any(one.document in documents for one in reply.passages) or was_asked_with(reply.question)

        questions = {*self._asked.choices_of(documents), *self._asked.questions_of(was_asked_with)}
        conversations = self._asked.conversations_of(is_of)
        if not dry_run:
            self._asked.erase(questions, conversations)
        counts = {"questions": len(questions), "conversations": len(conversations)}
        return Outcome({kind: count for kind, count in counts.items() if count})

    def _words(self, answers: Iterable[str]) -> set[str]:
        wanted = set(answers)
        drafts = (draft for key, draft in self._values(ANSWER, Draft) if key in wanted)
        return {text for draft in drafts if (text := _plain(" ".join(one.text for one in draft.sentences)))}

    def _values(self, stage: str, expected: type) -> Iterator[tuple[str, Any]]:
        for key, digest in self._store.database.read(
            "SELECT action_key, content_digest FROM actions WHERE stage = ?", (stage,)
        ):
            try:
                yield key, self._store.load(digest, expected)
            except (CorruptObjectError, MissingObjectError, UnknownFormatError):
                continue

    def _parts(self, stage: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, parts in self._store.database.read("SELECT action_key, parts FROM actions WHERE stage = ?", (stage,)):
            yield key, msgspec.json.decode(parts)


def _plain(answer: str) -> str:
    """The words of an answer without the numbers of its citations."""
    return _MARKS.sub("", answer)
