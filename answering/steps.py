"""The actions by which the steps of an answer are kept, and what they cost.

What belongs here: their keys, and looking them up. What does not: the order of the steps (asker), and doing them (finding,
follow_ups, drafts).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from answering.answers import Question
from answering.drafts import Draft
from answering.follow_ups import sought
from answering.passages import Choice, Retrieved
from io_managers.store.action_cache import ActionRecord, Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.fingerprint import Action, KeyTemplate, Part
from io_managers.store.store import Store
from resources.endpoints.llm import Usage
from retrieval.search import LONGEST_QUERY_CHARACTERS
from seed_assets.memo.accounts import Accounts

RETRIEVAL, ANSWER, STANDALONE = "retrieval", "answer", "standalone_question"
# Raise it if an answer is made from other passages for the same question, or looked up in another way.
_VERSION = "1"


@dataclass(slots=True)
class Bill:
    """What one question costs. paid: now. found: the stage of each step that was kept, and how it was made."""

    paid: Usage = field(default_factory=Usage)
    found: list[tuple[str, Provenance]] = field(default_factory=list)

    def count_saved(self, accounts: Accounts) -> None:
        """Count what was found as saved."""
        for stage, provenance in self.found:
            accounts.note_used(stage, provenance)


class Steps:
    """The steps that are kept in one store."""

    def __init__(
        self,
        store: Store,
        finder: Part,
        answerer: Mapping[str, Part],
        follow_ups: Mapping[str, Part] | None,
    ) -> None:
        """finder, answerer, follow_ups: the identities of what does them. Without follow_ups none is put by a model."""
        self._store = store
        self._retrievals = KeyTemplate(RETRIEVAL, {"version": _VERSION, "search": finder})
        self._answers = KeyTemplate(ANSWER, {"version": _VERSION, "answerer": dict(answerer)})
        self._standalones = KeyTemplate(STANDALONE, {"version": _VERSION, "put by": dict(follow_ups or {})})
        self._puts_follow_ups = follow_ups is not None
        # The steps whose use was noted on this day.
        self._noted: tuple[int, set[str]] = (0, set())

    def retrieval(self, words: str, rows: str) -> Action:
        """The action that finds the passages for words."""
        return self._retrievals.action({"words": words, "rows": rows})

    def answer(self, question: Question, choice: Choice) -> Action:
        """The action that answers a question from passages."""
        return self._answers.action(
            {"question": question.text, "turns": _turns(question), "passages": list(choice.chosen)}
        )

    def standalone(self, question: Question) -> Action:
        """The action that puts a follow-up question so that it stands alone."""
        return self._standalones.action({"question": question.text, "turns": _turns(question)})

    def kept_words(self, question: Question, bill: Bill) -> str | None:
        """What has to be looked for; None if a model has to say so first."""
        if question.turns and self._puts_follow_ups:
            return self._kept(self.standalone(question), str, bill)
        return sought(question)[:LONGEST_QUERY_CHARACTERS]

    def kept_passages(self, action: Action, bill: Bill) -> Retrieved | None:
        """The passages that were found."""
        return self._kept(action, Retrieved, bill)

    def kept_answer(self, action: Action, bill: Bill) -> Draft | None:
        """The answer."""
        return self._kept(action, Draft, bill)

    def record(self, action: Action) -> ActionRecord | None:
        """The record of an action, if it is finished."""
        return self._store.actions.lookup([action.key]).get(action.key)

    def _kept(self, action: Action, expected: Any, bill: Bill) -> Any:
        record = self.record(action)
        if record is None:
            return None
        self._note_use(action.key)
        try:
            value = self._store.load(record.content_digest, expected, record.type_name)
        except (CorruptObjectError, MissingObjectError):
            return None
        bill.found.append((action.stage, record.provenance))
        return value

    def _note_use(self, key: str) -> None:
        """Note that a step is in use, once a day, so that no collection takes it for forgotten."""
        day = int(time.time() // 86_400)
        if self._noted[0] != day:
            self._noted = (day, set())
        if key not in self._noted[1]:
            self._noted[1].add(key)
            self._store.actions.note_use([key])


def _turns(question: Question) -> list[Part]:
    return [[turn.question, turn.answer] for turn in question.turns]
