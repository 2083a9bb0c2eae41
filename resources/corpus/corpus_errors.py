"""Errors of files that cannot be read as documents, each with what to do. What does not belong here: finding them."""

import errno

from resources.errors import DocumentError

_REMEDIES = {
    errno.EACCES: "Make it and the folders above it readable for this user (chmod +rX).",
    errno.EPERM: "Make it and the folders above it readable for this user (chmod +rX).",
    errno.ENAMETOOLONG: "Move it up: its whole path is longer than the system allows.",
}


def too_large(size_bytes: int, most_bytes: int) -> DocumentError:
    """Return the error of a file that is larger than the settings allow."""
    return DocumentError(
        f"the file has {size_bytes / 2**20:,.1f} MB, more than the {most_bytes >> 20} allowed.",
        "Split it, exclude it in .seedbankignore, or raise max_document_mb (SEEDBANK_MAX_DOCUMENT_MB).",
    )


def ambiguous(names: list[str]) -> DocumentError:
    """Return the error of several files whose names differ only in Unicode normalisation."""
    listed = ", ".join(ascii(name) for name in names)
    return DocumentError(
        f"{len(names)} files have this name after Unicode normalisation: {listed}.", "Rename all but one of them."
    )


def deleted() -> DocumentError:
    """Return the error of a file that was removed while it was read."""
    return DocumentError(
        "the file was deleted during the run.", "Nothing to do: the next run removes the document.", transient=True
    )


def changed() -> DocumentError:
    """Return the error of a file that was written to while it was read."""
    return DocumentError(
        "the file was changed during the run.", "Run again when the file is no longer being written.", transient=True
    )


def unreadable(error: OSError) -> DocumentError:
    """Return the error of a file or folder that the system does not let this user read."""
    remedy = _REMEDIES.get(error.errno or 0, "Check the disk or the share it is on, then run again.")
    return DocumentError(f"it cannot be read: {error.strerror or error}.", remedy, transient=True)
