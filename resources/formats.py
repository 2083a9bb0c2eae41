"""Which files are documents: the supported suffixes. What does not belong here: how a format is read."""

from collections.abc import Mapping
from types import MappingProxyType

# By lower-case suffix. A format is named after what reads it, so several suffixes share one.
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text",
        ".text": "text",
        ".rst": "text",
        ".md": "markdown",
        ".markdown": "markdown",
        ".html": "html",
        ".htm": "html",
        ".xhtml": "html",
        ".docx": "docx",
        ".pdf": "pdf",
    }
)
