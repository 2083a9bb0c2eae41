"""The objects below an address: listed, looked at and downloaded, with errors in words.

Nothing is ever written to the bucket. The module must be fast to import, since a seed with nothing to do lists the bucket.
"""

from io_managers.object_stores import REMEDIES, SAID, cause_of, first_line, open_object_store
from resources.corpus.document_choice import IGNORE_FILE, Ignored, ignored_by, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obstore import GetResult, ObjectMeta
    from obstore.store import ObjectStore

    from io_managers.object_stores import Cause
    from resources.errors import ConfigurationError

# A store that answers 503 SlowDown is asked again for about a minute; the first request of a scan is given up sooner, so that a
# wrong address is said at once.
_RETRIES = 10
_LONGEST_WAIT_SECONDS = 10.0
_RETRIES_AT_FIRST = 3
_LONGEST_WAIT_AT_FIRST_SECONDS = 2.0
# As many names as S3, Google and Azure list at once (1,000 at S3, up to 5,000 at Azure).
_PAGE = 1_000
# A file of patterns is written by people; a larger one is something else.
_MOST_IGNORE_BYTES = 1 << 20
_REMEDIES: "Mapping[Cause, str]" = {
    **REMEDIES,
    "no bucket": "Correct the address of the corpus (--corpus, SEEDBANK_CORPUS).",
    "denied": "Let these credentials list the bucket and read its objects (s3:ListBucket and s3:GetObject).",
    "busy": "Run again later.",
    "unreachable": "Check the network and the address, then run again.",
}
_OBJECT_CAUSES = ("archived", "denied")
_TOO_SLOW = "Run again; if it is large and the line is slow, raise corpus_bucket.timeout_seconds."
_UNCHANGED = "Nothing was changed."


class ObjectRefusedError(Exception):
    """This object cannot be read, though others may be. said: a sentence. remedy: what to do."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.said = said
        self.remedy = remedy


class UnnamedError(Exception):
    """A listing has a name that the library refuses. said: which one, and why."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class ObjectReader:
    """Reads below one address. Several threads may use it."""

    def __init__(self, address: str, timeout_seconds: float) -> None:
        """address: as `s3://bucket/prefix`. timeout_seconds: for one request.

        Raises ConfigurationError if obstore is missing; nothing is sent.
        """
        self.address = address
        self._timeout_seconds = timeout_seconds
        self._store = self._opened(_RETRIES, _LONGEST_WAIT_SECONDS)

    def _opened(self, retries: int, longest_wait_seconds: float) -> "ObjectStore":
        try:
            import obstore.store  # noqa: F401 - whether it is there
        except ImportError as error:
            raise wrong(
                f"The corpus {self.address} needs the package obstore, which is not installed. "
                "Install it: `.venv/bin/pip install 'seedbank[remote]'`."
            ) from error
        try:
            return open_object_store(
                self.address,
                timeout_seconds=self._timeout_seconds,
                retries=retries,
                longest_wait_seconds=longest_wait_seconds,
            )
        except _errors() as error:
            raise self._unusable(error) from error

    def ignored(self) -> Ignored | None:
        """The patterns of `.seedbankignore`; None if there is none.

        This is the first request of a scan. Raises ConfigurationError if the bucket cannot be read, or the file cannot be one of
        patterns.
        """
        place = f"{self.address}/{IGNORE_FILE}"
        try:
            found = self._ignore_file()
            if found is None:
                return None
            if found.meta["size"] > _MOST_IGNORE_BYTES:
                raise wrong(
                    f"{place} has {found.meta['size']:,} bytes, so it is no list of patterns. Correct or remove it."
                )
            data = bytes(found.bytes())
        except _errors() as error:
            raise self._unusable(error) from error
        return ignored_by(data, place)

    def _ignore_file(self) -> "GetResult | None":
        store = self._opened(_RETRIES_AT_FIRST, _LONGEST_WAIT_AT_FIRST_SECONDS)
        while True:
            try:
                return store.get(IGNORE_FILE)
            except FileNotFoundError as error:
                if cause_of(error) == "no bucket":
                    raise
                return None
            except _errors() as error:
                if cause_of(error) != "busy" or store is self._store:
                    raise
                store = self._store

    def objects(self) -> "Iterator[ObjectMeta]":
        """Yield all objects below the address, a page at a time; their paths are relative to it.

        Raises UnnamedError, and ConfigurationError if the bucket cannot be listed to its end.
        """
        from obstore.exceptions import InvalidPathError

        try:
            for page in self._store.list(chunk_size=_PAGE):
                yield from page
        except InvalidPathError as error:
            raise UnnamedError(first_line(error)) from error
        except _errors() as error:
            raise self._unusable(error, "listed") from error

    def some(self) -> int:
        """How many objects the first page of a listing has. Raises ConfigurationError."""
        try:
            return len(next(iter(self._store.list(chunk_size=_PAGE)), ()))
        except _errors() as error:
            raise self._unusable(error, "listed") from error

    def folder(self, below: str) -> "tuple[list[str], list[ObjectMeta]]":
        """The folders and the objects directly below a folder; "" is the address itself. Raises as `objects` does."""
        from obstore.exceptions import InvalidPathError

        try:
            found = self._store.list_with_delimiter(below or None)
        except InvalidPathError as error:
            raise UnnamedError(first_line(error)) from error
        except _errors() as error:
            raise self._unusable(error, "listed") from error
        return list(found["common_prefixes"]), list(found["objects"])

    def exists(self, name: str) -> bool:
        """Whether there is an object. Raises ConfigurationError."""
        try:
            self._store.head(name)
        except FileNotFoundError as error:
            if cause_of(error) != "no bucket":
                return False
            raise self._unusable(error) from error
        except _errors() as error:
            raise self._unusable(error) from error
        return True

    def download(self, name: str, most_bytes: int, write: "Callable[[memoryview], object]") -> "ObjectMeta":
        """Give the bytes of an object to `write`, in blocks, and return the state of the object that they are of.

        most_bytes: nothing is written of a larger object. Raises FileNotFoundError if it is gone, ObjectRefusedError, and
        ConfigurationError if the bucket as a whole cannot be read.
        """
        try:
            found = self._store.get(name)
            meta = found.meta
            if meta["size"] <= most_bytes:
                for block in found.stream():
                    write(memoryview(block))
        except FileNotFoundError as error:
            if cause_of(error) != "no bucket":
                raise
            raise self._unusable(error) from error
        except _errors() as error:
            raise self._refused(error) from error
        return meta

    def _refused(self, error: Exception) -> Exception:
        """The error of one object that is refused, or that of the bucket, if others cannot be read either."""
        cause = cause_of(error)
        if cause is not None and cause not in _OBJECT_CAUSES and not self._answers():
            return self._unusable(error)
        if cause == "unreachable":
            return ObjectRefusedError("the object does not arrive in time.", _TOO_SLOW)
        said, remedy = _in_words(error)
        return ObjectRefusedError(f"the object store does not give it: {said}.", remedy)

    def _answers(self) -> bool:
        try:
            next(iter(self._opened(_RETRIES_AT_FIRST, _LONGEST_WAIT_AT_FIRST_SECONDS).list(chunk_size=1)), None)
        except _errors():
            return False
        return True

    def _unusable(self, error: Exception, used: str = "read") -> "ConfigurationError":
        said, remedy = _in_words(error)
        return wrong(f"The corpus {self.address} cannot be {used}: {said}. {remedy} {_UNCHANGED}")


def _in_words(error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do."""
    cause = cause_of(error)
    return (SAID[cause], _REMEDIES[cause]) if cause else (first_line(error), "Correct what it says, then run again.")


def _errors() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return BaseError, OSError, ValueError
