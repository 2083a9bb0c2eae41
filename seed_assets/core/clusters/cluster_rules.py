"""The settings of clusterings and of categories, and what decides their results besides the documents.

What does not belong here: how groups are found (communities, categories).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from io_managers.store.fingerprint import Part

CATEGORY = "category"
"""The name of categories in their ids."""
METHOD = "leiden-3"
"""The version of the method; raise it when the same documents may be grouped differently."""


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """The settings of a clustering.

    min_size: the fewest documents of a cluster; the setting is named `smallest`.
    max_size: the most documents of a cluster, 0 for no bound; the setting is named `largest`.
    seed: the seed of all random choices.
    drift: the share of documents that may come, go or change before everything is clustered from scratch.
    nearest: how many nearest documents are stored for each document.
    resummarize_share: the share of a cluster's members that may change before its summary is written again.

    Raises ValueError for bounds that no cluster can satisfy.
    """

    min_size: int
    max_size: int
    seed: int = 0
    drift: float = 0.10
    nearest: int = 5
    resummarize_share: float = 0.0

    changes: ClassVar[Mapping[str, str]] = {
        "leiden-3": "In a corpus of several languages, documents on one subject are together in whatever language they are."
    }

    def __post_init__(self) -> None:
        if self.min_size < 1 or self.max_size < 0 or 0 < self.max_size < self.min_size:
            raise ValueError(f"No cluster can have at least {self.min_size} and at most {self.max_size} documents.")

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides a clustering besides the documents; part of its action key."""
        # Without a share the identity is what it was before there was the setting.
        kept = {"resummarize_share": self.resummarize_share} if self.resummarize_share else {}
        return {
            "method": METHOD,
            "smallest": self.min_size,
            "largest": self.max_size,
            "seed": self.seed,
            "drift": self.drift,
            "nearest": self.nearest,
            **kept,
        }


@dataclass(frozen=True, slots=True)
class CategoryRules:
    """The settings of categories.

    smallest: the fewest concepts of a category.
    seed: the seed of all random choices.
    """

    smallest: int
    seed: int = 0

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the categories besides the documents; part of their action key."""
        return {"smallest": self.smallest, "seed": self.seed}
