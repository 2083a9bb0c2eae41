"""The settings of a corpus in an object store, and where a corpus may lie. Settings are read in `config`."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from resources.corpus.corpus_place import BucketAddress, place_of
from resources.settings.model_settings import Count, Number


def some_path(value: Any) -> Any:
    """Return the value of a setting that is a folder. Raises ValueError if it cannot be one."""
    if not isinstance(value, str | Path):
        raise ValueError("a folder is needed")
    if value == "":
        raise ValueError("a folder is needed; an empty one would mean the working directory")
    return value


def _some_place(value: Any) -> Any:
    return value if isinstance(value, BucketAddress) else place_of(str(some_path(value)))


CorpusRoot = Annotated[Path | BucketAddress, PlainValidator(_some_place), PlainSerializer(str, when_used="json")]


class BucketSettings(BaseModel):
    """How a corpus in an object store is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: Count = Field(
        16,
        ge=1,
        le=128,
        description="Maximum number of downloads at the same time. By default they are as many as the documents that a stage "
        "works on at the same time.",
    )
    timeout_seconds: Number = Field(
        120,
        gt=0,
        le=3600,
        description="Maximum time of one request, in seconds. In the default time, a document of 64 MB arrives at 5 Mbit/s.",
    )
    cache_mb: Count = Field(
        1_024,
        ge=0,
        description="How much of what was downloaded is kept in the home, in MB. A new object is hashed first and read later; if "
        "it is not kept until then, it is downloaded twice. With 0, nothing is kept.",
    )
