"""Lists of documents in text files, as options of commands take them."""

from pathlib import Path

from resources.errors import ConfigurationError


def read_documents(path: Path, consequence: str) -> list[str]:
    """Return the documents of a list, one in each line, as `seedbank status --json` shows them; blank lines are left out.

    consequence: what a list that cannot be read means, for the message. Raises ConfigurationError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The list of documents {path} cannot be read: {error}. {consequence}") from error
    return [line for line in lines if line.strip()]
