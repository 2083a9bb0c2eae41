"""Modules of users, written by tests: beside a seedbank.toml of their own, and not known to later tests.

What belongs here: writing them and forgetting them. What does not: what is in them (the tests).
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seed_assets.own_stages import module_import, stage_source

COUNTING = '''
from typing import Any

from seedbank.stages import Column, ExtractedText, document_rows, document_table, sink_stage, value_stage

TABLE = document_table("word_counts", Column("words", "int64", "its words"))


@value_stage(version="1", preview=str)
async def word_count(extracted_text: ExtractedText) -> int:
    """One partition: the number of words of one document."""
    return len(extracted_text.text.split())


@sink_stage(version="1", table=TABLE)
def lance_word_counts(document_id: str, content_digest: str, word_count: int) -> list[dict[str, Any]]:
    """One partition: the row of one document."""
    return document_rows(document_id, content_digest, [{"words": word_count}])
'''
"""A module with one stage and its table."""


class OwnModules:
    """A folder with a seedbank.toml, and modules beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "seedbank.toml"
        self.config.write_text("")
        self._imported_before = set(sys.modules)

    def write(self, name: str, text: str) -> Path:
        """Write a module, which the next import reads."""
        path = self.folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.forget()
        return path

    def settings(self, *names: str, seconds: int = 60) -> dict[str, Any]:
        """The settings that name these modules."""
        return {"stages": {"modules": list(names), "import_seconds": seconds}}

    def name(self, names: Sequence[str]) -> None:
        """Name modules in seedbank.toml."""
        self.config.write_text(f"[stages]\nmodules = {list(names)}\n")

    def forget(self) -> None:
        """Let no module of the folder be known any more, as in a new process."""
        for name in sys.modules.keys() - self._imported_before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(f"{self.folder}/"):
                del sys.modules[name]
        stage_source._definitions.cache_clear()


def own_modules_in(folder: Path) -> Iterator[OwnModules]:
    """Modules in a folder, for as long as a fixture lasts."""
    found = OwnModules(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_CONFIG", str(found.config))
        patch.setattr(sys, "path", list(sys.path))
        # What would be read from here may be older than a file that was written within the same second.
        patch.setattr(sys, "dont_write_bytecode", True)
        # Each module is another one: a trial of each in another process takes a second.
        patch.setattr(module_import, "try_import", lambda *_: None)
        try:
            yield found
        finally:
            found.forget()
