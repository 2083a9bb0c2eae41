"""A comparison as `seedbank compare` prints it: for each document both results side by side, then the sums.

What belongs here: the layout of a terminal. What does not: sentences (comparison_words), and pages (comparison_page).
"""

from typing import TYPE_CHECKING

from rich.table import Table

from cli.explaining.comparison_words import arrow, change_sentences, preference_sentence, sum_sentences
from cli.money import dollars
from cli.screen import Screen
from io_managers.plain_text import plain
from resources.wording import counted, shortened

if TYPE_CHECKING:
    from seed_assets.comparing.comparison import Comparison, DocumentComparison, StageComparison

# A side shows so much of a result; `--html` and `--json` have all of it.
_SHOWN_CHARACTERS = 1_500


def show_comparison(found: "Comparison") -> None:
    """Print both results of every document, then costs by stage, verdicts, preferences and the projection."""
    console = Screen()
    for sentence in change_sentences(found):
        console.sentence(plain(sentence))
    if not found.documents:
        return
    of = f" of {found.candidates:,}" if found.candidates > len(found.documents) else ""
    console.sentence(f"{counted(len(found.documents), 'document')}{of} tried; on the left what is published.")
    for one in found.documents:
        _show_document(console, one, found.judge)
    console.print()
    console.print(_costs(found))
    for sentence in sum_sentences(found):
        console.sentence(plain(sentence))


def _show_document(console: Screen, one: "DocumentComparison", judge: str) -> None:
    console.print()
    console.sentence(f"=== {plain(one.document)}")
    for stage in one.stages:
        if stage.failure:
            console.sentence(f"{stage.stage}: {plain(stage.failure)}")
            continue
        if stage.before is None or not stage.difference:
            console.sentence(f"{stage.stage}: {'equal' if stage.before else 'nothing is published'}")
            if stage.before:
                continue
        else:
            console.sentence(f"{stage.stage}: {plain(stage.difference)}")
        console.print(_sides(stage, console.width))
    if said := preference_sentence(one, judge):
        console.sentence(plain(said))


def _sides(stage: "StageComparison", width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False, width=width)
    for _ in range(2):
        table.add_column(ratio=1, overflow="fold")
    sides = (stage.before, stage.now)
    table.add_row(*(shortened(plain(side.shown), _SHOWN_CHARACTERS) if side else "" for side in sides))
    return table


def _costs(found: "Comparison") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("stage", no_wrap=True)
    for name in ("differ", "requests", "tokens", "dollars", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in found.stages():
        before, now = found.costs(stage)
        table.add_row(
            stage,
            f"{found.different(stage)} of {len(found.both(stage))}",
            arrow(f"{before.requests:,}", f"{now.requests:,}"),
            arrow(f"{before.tokens:,}", f"{now.tokens:,}"),
            arrow(dollars(before.usd, before.unpriced), dollars(now.usd, now.unpriced)),
            arrow(f"{before.seconds:,.1f}", f"{now.seconds:,.1f}"),
        )
    return table
