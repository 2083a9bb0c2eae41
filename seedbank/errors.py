"""The errors that the public modules raise. Each message names what is wrong and what to do about it."""

from io_managers.store.errors import (
    CorruptObjectError,
    MissingObjectError,
    StoreError,
    StoreUnavailableError,
    UnencodableError,
    UnknownFormatError,
)
from resources.errors import ConfigurationError, DocumentError, StoppedError

__all__ = [
    "ConfigurationError",
    "CorruptObjectError",
    "DocumentError",
    "MissingObjectError",
    "StoppedError",
    "StoreError",
    "StoreUnavailableError",
    "UnencodableError",
    "UnknownFormatError",
]
