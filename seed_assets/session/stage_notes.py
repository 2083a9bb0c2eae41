"""What people should know about stages that settings and modules add: those that are left out, those that no setting names any
more, and those whose code has changed.

This module finds it and says it in sentences. Where they are printed is up to the commands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from resources.wording import counted
from seed_assets.engine.stage_code import CodeChange, code_changes
from seed_assets.session.session import Session


@dataclass(frozen=True, slots=True)
class StageNotes:
    """left_out: stage -> why it is not in the pipeline. unlisted: stages that no setting names any more -> how many of their
    results are published. tables: those that no setting names any more. changed: stages whose code has changed.
    """

    left_out: Mapping[str, str]
    unlisted: Mapping[str, int]
    tables: tuple[str, ...]
    changed: tuple[CodeChange, ...]

    def sentences(self, *, unlisted: bool) -> Iterator[str]:
        """One sentence for each stage that is left out or has changed.

        unlisted: give one more for all that no setting names any more.
        """
        for stage, why in self.left_out.items():
            yield f"The stage {stage} is left out: {why}. Its earlier results stay as they are."
        if unlisted and (self.unlisted or self.tables):
            stages = [f"{name} ({counted(count, 'result')})" for name, count in self.unlisted.items()]
            tables = [f"table {name}" for name in self.tables]
            yield (
                f"No setting names these any more: {', '.join((*stages, *tables))}. They stay, and naming their stages again "
                "costs nothing; `seedbank forget NAME` removes them."
            )
        yield from (change.sentence for change in self.changed)


def stage_notes(session: Session) -> StageNotes:
    """Find what is to be said now. No value of a document is opened."""
    pipeline, store = session.pipeline, session.store
    known = {*pipeline.stages, *pipeline.left_out, *pipeline.unused}
    unlisted = {name: count for name, count in store.refs.counts().items() if name not in known}
    # The table of a stage that is left out is not declared, and yet it is not forgotten.
    tables = [name for name in session.tables.present() if name not in pipeline.tables] if not pipeline.left_out else []
    changed = code_changes(store, pipeline.stages.values())
    return StageNotes(pipeline.left_out, unlisted, tuple(tables), tuple(changed))
