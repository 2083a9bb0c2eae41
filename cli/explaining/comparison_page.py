"""A comparison as a page of HTML in one file: no script, nothing from elsewhere, and all text of documents and models escaped.

What belongs here: the layout of the page. What does not: sentences (comparison_words), and terminals (comparison_report).
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from cli.explaining.comparison_words import arrow, change_sentences, preference_sentence, sum_sentences
from cli.money import dollars
from io_managers.plain_text import plain, plain_lines
from resources.wording import counted

if TYPE_CHECKING:
    from seed_assets.comparing.comparison import Comparison, DocumentComparison, Side, StageComparison

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.side { background: #8881; border-radius: 6px; padding: 0.5rem 0.75rem; overflow-wrap: anywhere; }
.side p { margin: 0; white-space: pre-wrap; } .note { color: #777; font-size: 0.85rem; margin: 0.25rem 0 0; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: right; padding: 0.2rem 0.8rem; }
th:first-child, td:first-child { text-align: left; } th { border-bottom: 1px solid #8886; }
.failure { color: #c33; }
@media (max-width: 40rem) { .sides { grid-template-columns: 1fr; } }
"""


def page(found: "Comparison", assignments: Sequence[str]) -> str:
    """Return the page: what changes, the sums, and then every document with both results side by side."""
    return "\n".join(_lines(found, assignments)) + "\n"


def _lines(found: "Comparison", assignments: Sequence[str]) -> Iterator[str]:
    title = f"Compared: {', '.join(assignments) or 'the present settings'}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_text(title)}</h1>"
    yield _list(change_sentences(found))
    if found.documents:
        tried = counted(len(found.documents), "document")
        yield f"<p>{tried} of {found.candidates:,} tried. On the left is what is published.</p>"
        yield from _costs(found)
        yield _list(sum_sentences(found))
    for one in found.documents:
        yield from _document(one, found.judge)
    yield "</body>\n</html>"


def _costs(found: "Comparison") -> Iterator[str]:
    heads = ("stage", "differ", "requests", "tokens", "dollars", "seconds")
    yield f"<table>\n<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for stage in found.stages():
        before, now = found.costs(stage)
        cells = (
            stage,
            f"{found.different(stage)} of {len(found.both(stage))}",
            arrow(f"{before.requests:,}", f"{now.requests:,}"),
            arrow(f"{before.tokens:,}", f"{now.tokens:,}"),
            arrow(dollars(before.usd, before.unpriced), dollars(now.usd, now.unpriced)),
            arrow(f"{before.seconds:,.1f}", f"{now.seconds:,.1f}"),
        )
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"
    yield "</table>"


def _document(one: "DocumentComparison", judge: str) -> Iterator[str]:
    yield f"<h2>{_text(one.document)}</h2>"
    if said := preference_sentence(one, judge):
        yield f"<p>{_text(said)}</p>"
    for stage in one.stages:
        yield from _stage(stage)


def _stage(stage: "StageComparison") -> Iterator[str]:
    note = stage.difference or ("equal" if stage.before and stage.now else "")
    yield f"<h3>{_text(stage.stage)}</h3>"
    if stage.failure:
        yield f'<p class="failure">{_text(stage.failure)}</p>'
    if note:
        yield f'<p class="note">{_text(note)}</p>'
    yield f'<div class="sides">\n{_side(stage.before)}\n{_side(stage.now)}\n</div>'


def _side(side: "Side | None") -> str:
    if side is None:
        return '<div class="side"><p class="note">no result</p></div>'
    cost = side.cost
    parts = [side.model, f"{cost.seconds:,.2f} s"]
    if cost.requests:
        parts += [
            counted(cost.requests, "request"),
            counted(cost.tokens, "token"),
            f"{dollars(cost.usd, cost.unpriced)} dollars",
        ]
    note = ", ".join(part for part in parts if part)
    shown = escape(plain_lines(side.shown))
    return f'<div class="side"><p>{shown}</p><p class="note">{_text(note)}</p></div>'


def _list(sentences: Iterator[str]) -> str:
    items = "\n".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
    return f"<ul>\n{items}\n</ul>" if items else ""


def _text(text: str) -> str:
    return escape(plain(text))
