"""Errors named after what their reader should do. What belongs here: errors that name one document.

DocumentError            one document cannot be processed; `transient` says whether asking again can help
ConfigurationError       nothing can be done until the configuration is mended (exit status 2)
StoppedError             nothing more may be begun: interrupted, or a budget is spent; nothing is wrong with anything
"""


class DocumentError(Exception):
    """One document failed, and only that one.

    reason: what was expected and what was found, in a sentence without the document's name (the runner adds it).
    remedy: what its owner can do next.
    transient: True where the same bytes may succeed later (a file being rewritten, a full disk); such a failure is
    tried again by the next run, any other is remembered until its action key changes.
    """

    def __init__(self, reason: str, remedy: str, *, transient: bool = False) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy
        self.transient = transient


class ConfigurationError(Exception):
    """A setting, a path or the home itself is unusable. The message says which, what was found and what to set."""


class StoppedError(Exception):
    """Something was not begun. reason: why nothing more may be begun, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
