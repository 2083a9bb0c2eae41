"""Work on a document's text, isolated so that it can harm no other document.

What belongs here: the protocol through which stages have such work done. What does not: the tasks (text_tasks), and the
processes that run them (parser_pool).
"""

from typing import Any, Protocol


class TextWork(Protocol):
    """Runs tasks in processes that may be slow, use much memory or crash without consequences for other documents."""

    async def run(self, task: str, *arguments: Any) -> Any:
        """Run the task of this name (see text_tasks.TASKS) and return its result.

        Raises DocumentError as the task does, and if it crashes, takes too long or takes too much memory; RuntimeError for
        an error in the program.
        """
        ...
