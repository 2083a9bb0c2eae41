"""The command `seedbank compare`: its arguments, exit status and what it writes. The work is done in seed_assets.comparing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.process_exit import FAILED, INTERRUPTED
from cli.streams import print_error, print_json
from resources.wording import counted

if TYPE_CHECKING:
    from resources.endpoints.llm import Usage
    from seed_assets.comparing.comparison import Comparison, Side, Spent

OVER_BUDGET = 3
"""The exit status if a budget ended the comparison, as of a seed."""


def compare(
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting and its other value, such as llm.model=NAME; several may be given. Without any, the present "
            "settings and prompts are compared with what is published.",
        ),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, max=10_000, help="Try this many documents, some of each cluster.")] = 10,
    documents: Annotated[
        str, typer.Option(metavar="GLOB", help="Try only documents whose id (path below the corpus) matches.")
    ] = "",
    stages: Annotated[
        str, typer.Option(metavar="A,B", help="Compare only these stages, such as summaries,concepts.")
    ] = "",
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost", metavar="USD", min=0, help="Stop before the comparison could cost more than this (USD)."
        ),
    ] = None,
    preferences: Annotated[
        bool, typer.Option("--preferences/--no-preferences", help="Ask the model that judges which text is better.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the comparison as a page to this file.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try other settings, or edited prompts, on some documents beside the published results; nothing is published.

    Answers of models are kept in the store, so that a seed with these settings does not pay for them again.
    """
    with open_session(None, home, must_exist=True) as session:
        from resources.settings.assignments import settings_with
        from seed_assets.comparing.comparing import CompareOptions
        from seed_assets.comparing.comparing import compare as compared
        from seed_assets.session.session import Session

        given = assignments or []
        settings = settings_with(session.settings, given)
        options = CompareOptions(
            sample, documents, tuple(name.strip() for name in stages.split(",") if name.strip()), max_cost, preferences
        )
        changed = Session(settings)
        try:
            found = compared(session, changed, options, announce=_announce)
        finally:
            changed.close_resources(besides=session.pipeline.resources.values())
        if html is not None:
            _write_page(html, found, given)
        if as_json:
            print_json(as_data(found, given))
        else:
            from cli.explaining.comparison_report import show_comparison

            show_comparison(found)
            if html is not None:
                print_error(f"The page is {html}.")
    raise typer.Exit(_status(found))


def _status(found: "Comparison") -> int:
    from seed_assets.engine.runner import INTERRUPTED as STOPPED_BY_USER

    if found.stopped == STOPPED_BY_USER:
        return INTERRUPTED
    return OVER_BUDGET if found.stopped else FAILED if found.failed else 0


def _announce(documents: Sequence[str], at_most: "Usage") -> None:
    from cli.money import dollars

    cost = "no request to a model"
    if at_most.requests:
        cost = f"at most {counted(at_most.requests, 'request')}, {dollars(at_most.usd, at_most.unpriced)} dollars"
    print_error(f"Trying {counted(len(documents), 'document')}: {cost}. Nothing is published.")


def _write_page(path: Path, found: "Comparison", assignments: Sequence[str]) -> None:
    from cli.explaining.comparison_page import page
    from resources.errors import ConfigurationError

    try:
        path.write_text(page(found, assignments), "utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"The page {path} cannot be written: {error.strerror or error}. Name another file."
        ) from error


def as_data(found: "Comparison", assignments: Sequence[str]) -> dict[str, Any]:
    """A comparison as plain data, under stable keys. `before` is what is published, `now` what the settings give."""
    before, now = found.verdicts()
    projection = found.projection
    return {
        "set": list(assignments),
        "changes": {stage: [change.text for change in changes] for stage, changes in found.changes.items()},
        "elsewhere": found.elsewhere,
        "kept": found.kept,
        "candidates": found.candidates,
        "documents": [
            {
                "document": one.document,
                "stages": [
                    {
                        "stage": stage.stage,
                        "before": _side(stage.before),
                        "now": _side(stage.now),
                        "difference": stage.difference,
                        "failure": stage.failure,
                    }
                    for stage in one.stages
                ],
                "preference": one.preference
                and {
                    "better": {"first": "before", "second": "now", "tie": "tie"}[one.preference.better],
                    "swayed": one.preference.swayed,
                    "reasons": one.preference.reasons,
                },
                "no_preference": one.no_preference,
            }
            for one in found.documents
        ],
        "stages": {
            stage: {
                "documents": len(found.both(stage)),
                "different": found.different(stage),
                "before": _cost(found.costs(stage)[0]),
                "now": _cost(found.costs(stage)[1]),
            }
            for stage in found.stages()
        },
        "verdicts": {
            name: {decision: sum(one.decision == decision for one in verdicts) for decision in _DECISIONS}
            for name, verdicts in (("before", before), ("now", now))
        },
        "judge": found.judge,
        "preferred": dict(found.preferred()),
        "paid": _cost(found.paid),
        "paid_to_judge": _cost(found.paid_to_judge),
        "projection": projection
        and {
            "documents": projection.documents,
            "expected": _cost(projection.expected),
            "at_most": _cost(projection.at_most),
            "at_most_elsewhere": _cost(projection.at_most_elsewhere),
        },
        "stopped": found.stopped,
    }


_DECISIONS = ("accept", "revise", "reject", "copied")


def _side(side: "Side | None") -> dict[str, Any] | None:
    return side and {"shown": side.shown, "model": side.model, **_cost(side.cost)}


def _cost(cost: "Spent") -> dict[str, float]:
    return {
        "requests": cost.requests,
        "tokens": cost.tokens,
        "usd": round(cost.usd, 6),
        "unpriced_requests": cost.unpriced,
        "seconds": round(cost.seconds, 3),
    }
