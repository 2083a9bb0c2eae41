"""Recognises errors that mean that memory ran out, and words the message."""

import errno
import mmap

from resources.errors import ConfigurationError, DocumentError

# Messages of the operating system, which packages repeat, if memory, address space or a thread is not available.
_NO_MEMORY = ("cannot allocate memory", "out of memory", "failed to map segment", "can't start new thread")

# Messages of Python for native code that failed without giving a reason. If the address space is limited, that is the cause.
_NO_REASON = ("error return without exception set", "without setting an exception")

# Messages of native code that got no thread, and the type of the errors by which code in Rust gives up; neither is an Exception
# by which Python says that memory ran out. If the address space is limited, that is the cause of these, too.
_NO_THREAD = (
    "resource temporarily unavailable",
    "failed to spawn",
    "failed to create thread",
    "os error 11",
    "os error 12",
)
_PANIC = "PanicException"

# SQLite's names of errors of the disk that mean that it got no memory, or could not map a file into the address space.
_SQLITE_NO_MEMORY = ("SQLITE_NOMEM", "SQLITE_IOERR_NOMEM", "SQLITE_IOERR_SHMMAP", "SQLITE_IOERR_MMAP")


def address_limit_bytes() -> int | None:
    """The limit of this process's address space (ulimit -v); None if there is none."""
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def require_address_space(needed_bytes: int) -> None:
    """Raise MemoryError if the address space is limited and has less left than this.

    Native code that starts threads waits for ever for those that it did not get, where it should fail.
    """
    if address_limit_bytes() is None:
        return
    try:
        mmap.mmap(-1, needed_bytes).close()
    except (OSError, ValueError) as error:
        raise MemoryError(f"less than {needed_bytes / 2**20:,.0f} MB of address space are left") from error


NO_MEMORY = "There was not enough memory to go on. Everything that was finished is kept."


def memory_remedy() -> str:
    """What the user can do if this process as a whole has too little memory."""
    limit = address_limit_bytes()
    limited = (
        f"The address space of this process is limited to {limit / 2**20:,.0f} MB; raise that (ulimit -v), or"
        if limit
        else "Free some memory, or"
    )
    return f"{limited} run the command on a machine with more memory, then again."


def out_of_memory_message() -> str:
    """The message with the remedy."""
    return f"{NO_MEMORY} {memory_remedy()}"


def mentions_memory(text: str) -> bool:
    """Whether a message says that memory, address space or a thread was not available."""
    return any(words in text.lower() for words in _NO_MEMORY)


def is_memory_error(error: BaseException) -> bool:
    """Whether an error or one of its causes means that memory ran out."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, MemoryError) or (isinstance(one, OSError) and one.errno == errno.ENOMEM):
            return True
        if mentions_memory(str(one)):
            return True
        if _is_of_native_code(one) and address_limit_bytes():
            return True
        if getattr(one, "sqlite_errorname", "") in _SQLITE_NO_MEMORY and address_limit_bytes():
            return True
        if isinstance(one, SystemError) and any(words in str(one) for words in _NO_REASON) and address_limit_bytes():
            return True
        left += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
    return False


def _is_of_native_code(error: BaseException) -> bool:
    """Whether native code got no thread, or gave up."""
    return type(error).__name__ == _PANIC or any(words in str(error).lower() for words in _NO_THREAD)


def out_of_memory() -> ConfigurationError | DocumentError:
    """The error for one document. If the address space is limited, it is one for the process as a whole."""
    if address_limit_bytes() is not None:
        return ConfigurationError(out_of_memory_message())
    return DocumentError(
        "there was not enough memory for it.",
        "Free some memory, or split the document, then run again.",
        transient=True,
    )
