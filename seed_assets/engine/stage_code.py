"""The source with which a version of a stage was first used, to say when it has changed and the version has not.

It is kept in the store as the result of an action of its own, whose key is the stage and its version. It is in no key of the
stage: only the version decides whether a result is current.
"""

import difflib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store
from seed_assets.graph.stage import Stage

_CODE = KeyTemplate("stage_code", {})


@dataclass(frozen=True, slots=True)
class CodeChange:
    """A stage whose source is another one than that with which its version was first used. lines: a diff of both."""

    stage: str
    version: str
    lines: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What people should know and do."""
        return (
            f"The code of {self.stage} has changed since its version {self.version} was first used, and its version has not: its "
            "results are kept. If the code gives other results now, raise the version; requests to a model that are the same as "
            "before are not sent again."
        )


def note_code(store: Store, stage: Stage) -> None:
    """Remember the source of a stage that is used, unless one is remembered for its version.

    It decides nothing, so a store that cannot be written keeps none and raises no error.
    """
    action = _action(stage)
    if stage.code and action.key not in store.actions.lookup([action.key]):
        with suppress(StoreUnavailableError):
            store.commit([(action, stage.code, Provenance())]).result()


def code_changes(store: Store, stages: Iterable[Stage]) -> list[CodeChange]:
    """Return those of these stages whose code has changed since their version was first used."""
    coded = {_action(stage).key: stage for stage in stages if stage.code}
    found: list[CodeChange] = []
    for key, record in store.actions.lookup(coded).items() if coded else ():
        stage = coded[key]
        try:
            before: str = store.load(record.content_digest, str)
        except (CorruptObjectError, MissingObjectError):
            continue
        if before != stage.code:
            lines = difflib.unified_diff(
                before.splitlines(), stage.code.splitlines(), "before", "now", n=2, lineterm=""
            )
            found.append(CodeChange(stage.name, stage.version, tuple(lines)))
    return sorted(found, key=lambda change: change.stage)


def _action(stage: Stage) -> Action:
    return _CODE.action({"stage": stage.name, "version": stage.version})
