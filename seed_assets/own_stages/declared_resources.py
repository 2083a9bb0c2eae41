"""What the annotation of a stage's keyword-only parameter can declare: a resource for this stage alone.

This module has the protocol. The one resource of this kind that the project has is the prompted model in `prompted_model`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seed_assets.core.text.text_work import TextWork

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients


class NeedsModelError(Exception):
    """A stage asks a model, and the settings name none. The message is a clause that says what to set."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a resource is made from.

    stage: the name of the stage. folder: of the module that declares it. models: what makes the models of the settings; None if
    they name none. work: the worker processes.
    """

    stage: str
    folder: Path
    models: "ModelClients | None"
    work: TextWork


class DeclaredResource(ABC):
    """Declares a resource: `model: Annotated[PromptedModel[Answer], Prompted("prompt.md", Answer)]`."""

    @abstractmethod
    def made(self, making: Making) -> Any:
        """Make the resource; it must have an `identity`. Raises ConfigurationError, NeedsModelError."""
