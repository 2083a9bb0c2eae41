"""How the text of a prompt differs from an earlier one, as the lines of a diff.

What belongs here: comparing the files of prompts. What does not: keeping their texts (io_managers.store), reading prompts
(core.prompting).
"""

import difflib

# A prompt that was written again as a whole would fill many screens.
_MOST_LINES = 200
# The two files of a prompt: its texts, and the schema of answers.
_FILES = (".toml", ".schema.json")


def prompt_difference(before: str, now: str) -> tuple[str, ...]:
    """Return the lines of a diff of two prompts, in the unified format with two lines around each change.

    before, now: the contents of the prompt's files, with a zero byte between them; a single file is a text without one. After 200
    lines, the rest is counted.
    """
    lines: list[str] = []
    old, new = before.split("\0"), now.split("\0")
    files = _FILES if len(old) + len(new) > 2 else ("",)
    for suffix, was, is_ in zip(files, [*old, ""], [*new, ""], strict=False):
        found = difflib.unified_diff(
            was.splitlines(), is_.splitlines(), f"before{suffix}", f"now{suffix}", n=2, lineterm=""
        )
        lines += found
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES:,} more lines"]
    return tuple(lines)
