"""The file name suffixes of documents, and their formats."""

from collections.abc import Mapping
from types import MappingProxyType

# By suffix in lower case. A format is named after its reader, so several suffixes can share one.
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
        ".eml": "mail",
        ".csv": "csv",
        ".tsv": "csv",
        ".json": "json",
        ".jsonl": "json",
        ".ndjson": "json",
        ".ipynb": "notebook",
        ".srt": "subtitles",
        ".vtt": "subtitles",
        ".rtf": "rtf",
        ".xlsx": "xlsx",
        ".epub": "epub",
        ".odt": "odt",
        ".pptx": "pptx",
    }
)
