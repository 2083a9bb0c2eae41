"""A result as text beside another one: the text of a summary, the names of concepts, a verdict.

What belongs here: short forms by the kind of a value. What does not: how two values differ (explaining.value_changes), and layout
(cli).
"""

from typing import Any

from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.graph.stage import Stage


def shown(stage: Stage, value: Any) -> str:
    """Return a value as text: whole if it is a summary, concepts or a verdict, and otherwise its preview."""
    match value:
        case Summary():
            return value.text
        case Concepts():
            return ", ".join(value.names)
        case Judgement():
            return _judgement(value)
        case _:
            return stage.preview(value)


def account_in(value: Any) -> str | None:
    """Return the text in a value that says what a document is about: of a judgement, or of a summary; None if it has none."""
    match value:
        case Judgement() | Summary():
            return value.summary if isinstance(value, Judgement) else value.text
        case _:
            return None


def _judgement(value: Judgement) -> str:
    verdict = value.verdict
    score = "" if verdict.score is None else f", score {verdict.score:.2f}"
    review = ", to be reviewed" if value.needs_review else ""
    revised = f"; revised: {value.summary}" if value.first is not None and value.first is not verdict else ""
    unsupported = [claim.text for claim in verdict.claims if not claim.is_supported]
    return "; ".join(
        [f"{verdict.decision}{score}{review}{revised}", *(f"not supported: {text}" for text in unsupported)]
    )
