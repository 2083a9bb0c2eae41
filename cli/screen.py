"""The console on which tables and reports are printed: a Rich console that removes control sequences from all texts.

Layout and wording are in `progress` and `money`.
"""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from io_managers.plain_text import plain_lines


class Screen(Console):
    """A console that prints texts literally: Rich markup such as `[red]` has no effect, and control sequences are removed."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, emoji=False, markup=False, highlight=False)

    def marked(self, text: str) -> None:
        """Print a line with Rich markup. Text from documents or servers in it must be escaped by the caller."""
        self.print(text, markup=True, soft_wrap=True)

    def sentence(self, text: str) -> None:
        """Print a text literally, without breaking it at the width of the terminal."""
        self.print(text, soft_wrap=True)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See Console. Control segments come from Rich and are kept; the text of all others is made plain."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain_lines(segment.text), segment.style)

    def render_str(self, text: str, **options: Any) -> Any:
        """See Console. The text is made plain before it is measured, so that columns stay aligned."""
        return super().render_str(plain_lines(text), **options)
