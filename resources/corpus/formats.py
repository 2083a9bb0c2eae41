"""The file name suffixes of documents and their formats, and of files that people have to save in another format first."""

from collections.abc import Mapping
from types import MappingProxyType

from resources.wording import counted

PICTURE = "picture"
"""The format of files that are pictures."""
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
        ".png": PICTURE,
        ".jpg": PICTURE,
        ".jpeg": PICTURE,
        ".tif": PICTURE,
        ".tiff": PICTURE,
        ".webp": PICTURE,
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

# Programs store them in formats of their own. Some of these suffixes have other meanings as well (keys of certificates,
# definitions of messages), so such files are not documents that fail; a seed names them with what can be done.
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        ".doc": "Save such files in a word processor as DOCX.",
        ".xls": "Save such files in a spreadsheet program as XLSX or CSV.",
        ".ppt": "Save such files in a presentation program as PPTX or PDF.",
        ".pages": "Export such files from Pages as DOCX or PDF.",
        ".numbers": "Export such files from Numbers as XLSX or CSV.",
        ".key": "Export those that are presentations from Keynote as PPTX or PDF.",
        ".msg": "Save those that are mails in the mail program as EML.",
    }
)


def remedies_for(counts: Mapping[str, int]) -> list[str]:
    """Return one sentence for each suffix of files that can be saved in another format.

    counts: how many files were skipped, by suffix; others are left out.
    """
    return [
        f"{counted(count, f'{suffix} file is', f'{suffix} files are')} not read. {REMEDIES[suffix]}"
        for suffix, count in sorted(counts.items())
        if suffix in REMEDIES
    ]


def not_read(suffix: str) -> str:
    """Say that files with a suffix are not read, and what to do with them if that is known. suffix: in lower case."""
    return " ".join(
        (f"Files with the suffix {suffix} are not read.", *([REMEDIES[suffix]] if suffix in REMEDIES else []))
    )
