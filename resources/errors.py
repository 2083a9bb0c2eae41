"""The errors that all packages share:

DocumentError            one document cannot be processed; `transient` tells whether a later run can succeed
ConfigurationError       nothing can be done until the configuration is corrected (exit status 2)
StoppedError             no new work may be started, because of an interruption or a budget; nothing has failed
  WaitingError           a request is in a batch of the provider; its result comes later, and nothing has failed

Their messages contain names of files, values of settings and texts of servers. They are made plain text at once, since
Dagster and terminals show them in many places.
"""

from io_managers.plain_text import plain

_NO_TEXT = "it holds no text: "


def without_text(why: str) -> str:
    """Return the reason of a DocumentError for a file with which nothing is wrong, but that holds no text, as a photograph."""
    return f"{_NO_TEXT}{why}"


def says_without_text(reason: str) -> bool:
    """Whether the reason of a DocumentError is that the file holds no text; it is skipped then, and no run fails for it."""
    return reason.startswith(_NO_TEXT)


class DocumentError(Exception):
    """One document failed; the others are not affected.

    reason: a sentence with what was expected and what was found, without the document's name (the runner adds it).
    remedy: what the user can do.
    transient: True if the same bytes may succeed later (a file that is being written, a full disk). The next run tries such
    a failure again; any other is recorded as permanent until its action key changes.
    settings: a digest of the settings that shaped a request, if they may be the cause ("" otherwise). The failure is
    permanent only while they stay the same.
    """

    def __init__(self, reason: str, remedy: str, *, transient: bool = False, settings: str = "") -> None:
        reason, remedy = plain(reason), plain(remedy)
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.transient = transient
        self.settings = settings


class ConfigurationError(Exception):
    """A setting, a path or the home is unusable. The message names it, the value found and what to set."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


class StoppedError(Exception):
    """Work was not started. reason: why no new work may be started, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WaitingError(StoppedError):
    """A request waits in a batch, so that its document waits. A later run goes on with the reply."""
