"""A corpus in a folder of its own, for the tests of scanning.

What belongs here: making files and looking at them as a new process does. What does not: assertions.
"""

import hashlib
import os
from pathlib import Path

from resources.corpus.corpus import Corpus, Scan

MB = 1 << 20


class Folder:
    """A corpus, with the home's memory beside it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "corpus"
        self.root.mkdir()
        self.index = directory / "home" / "corpus.index"

    def write(self, name: str | bytes, content: bytes = b"text") -> Path:
        """A file, with the folders above it."""
        path = self.root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @property
    def corpus(self) -> Corpus:
        """As a new process sees it."""
        return Corpus(self.root, self.index, MB)

    def scan(self, *, verify: bool = False) -> Scan:
        """As a new process does it."""
        return self.corpus.scan(verify=verify)

    def documents(self) -> set[str]:
        """The ids of all documents."""
        return set(self.scan().documents)


def digest(content: bytes) -> str:
    """What a scan should say of a content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
