"""The command `seedbank explain`: its arguments and output. What it says is found in seed_assets.explaining."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text
from io_managers.plain_text import plain, plain_lines
from resources.wording import shortened

if TYPE_CHECKING:
    from seed_assets.explaining.explanation import Explanation, Outcome, StageExplanation
    from seed_assets.explaining.key_changes import Change

_KINDS = {"documents": "document", "cluster_types": "cluster type", "clusters": "cluster", "corpus": "corpus"}
# A reason keeps so many characters, however narrow the terminal is.
_LEAST_CHARACTERS = 30
# The column that says what a seed does.
_VERBS: "dict[Outcome, str]" = {
    "reused": "nothing",
    "kept": "nothing",
    "published": "publish",
    "computed": "compute",
    "perhaps computed": "perhaps",
    "failed": "failed",
    "blocked": "blocked",
    "waiting": "waiting",
    "removed": "remove",
}


def explain(
    document: Annotated[
        str,
        typer.Argument(
            help="The document: its path below the corpus, or its file; or a cluster type, the id of a cluster, or `corpus`."
        ),
    ],
    stage: Annotated[
        str,
        typer.Argument(help="The stage that is explained in full, such as summaries; by default one line for each."),
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a seed would do with the results of a document, and why: which part of each key differs, and how."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.explaining.explanation import explain as explained

        found = explained(session, document, stage)
        if as_json:
            print_json(_as_json(found))
        elif stage:
            print_text("\n".join(_in_full(found)))
        else:
            _show_table(found, document)


def _as_json(found: "Explanation") -> dict[str, Any]:
    from seed_assets.explaining.sentences import summary, what_follows

    stages = [
        {
            "stage": one.stage,
            "state": one.state,
            "outcome": one.outcome,
            "summary": summary(one),
            "reason": one.reason,
            "changes": [asdict(change) for change in one.changes],
            "waits_for": one.waits_for,
            "kept_by": one.kept_by,
            "made": one.made and asdict(one.made),
            "failed": one.failed and asdict(one.failed),
        }
        for one in found.stages
    ]
    return {
        "unit": found.unit,
        "units": found.units.value,
        "stages": stages,
        "follows": list(what_follows(found)),
        "code_changes": [asdict(change) for change in found.code],
    }


def _show_table(found: "Explanation", named: str) -> None:
    from cli.screen import Screen
    from seed_assets.explaining.sentences import summary, what_follows

    console = Screen()
    if not found.stages:
        console.sentence(f"No stage has anything to do with {named}.")
        return
    console.sentence(_heading(found))
    width = max(len("stage"), *(len(one.stage) for one in found.stages))
    rows = [("stage", "a seed", "why"), *((one.stage, _VERBS[one.outcome], summary(one)) for one in found.stages)]
    verbs = max(len(verb) for _, verb, _ in rows)
    for stage, verb, why in rows:
        room = max(_LEAST_CHARACTERS, console.width - width - verbs - 2)
        console.sentence(f"{stage:{width}} {verb:{verbs}} {shortened(plain(why), room)}")
    for sentence in (*what_follows(found), *(change.sentence for change in found.code)):
        console.sentence(sentence)
    if any(one.outcome != "reused" for one in found.stages):
        console.sentence("Name a stage as well to read everything about it.")


def _heading(found: "Explanation") -> str:
    kind = _KINDS[found.units.value]
    return f"{kind}: {found.unit}" if found.unit else kind


def _in_full(found: "Explanation") -> Iterator[str]:
    yield plain(_heading(found))
    for one in found.stages:
        yield f"stage: {one.stage}"
        yield f"state: {one.state}"
        yield ""
        yield from _sentences(one)
    for change in found.code:
        yield change.sentence
        yield from (f"    {plain(line)}" for line in change.lines)
    if not found.stages:
        yield "The stage has nothing to do with it."


def _sentences(one: "StageExplanation") -> Iterator[str]:
    from seed_assets.explaining.sentences import made_words, names, since

    made = plain(made_words(one.made))
    it_was_made = f"It was {made}." if one.made else "How it was made is not recorded."
    match one.outcome:
        case "reused":
            yield f"A seed does nothing: the result is the one that it would compute. {it_was_made}"
        case "kept":
            yield "A seed keeps the published result, although its key differs:"
            yield from _changes(one.changes) if one.changes else [f"- its {plain(one.reason)} changed"]
            yield f"The setting {one.kept_by} says so."
        case "published":
            yield f"The result is in the store, and a seed only publishes it. {it_was_made}"
            yield from _compared(one)
            return
        case "computed" if one.state == "missing":
            yield "A seed computes it: nothing was ever published here."
        case "computed":
            yield "A seed computes it again:"
            yield from _changes(one.changes) if one.changes else [f"- {plain(one.reason)}"]
        case "perhaps computed":
            which = "its result differs" if len(one.waits_for) == 1 else "one of their results differs"
            yield f"A seed first computes {names(one.waits_for)}. This is computed again only if {which}."
            yield from _compared(one)
        case "failed" | "blocked":
            failed = one.failed
            where = (
                "It"
                if failed is None or failed.stage == one.stage
                else f"The stage {failed.stage}, which comes before it,"
            )
            when = f" ({since(failed)})" if failed and since(failed) else ""
            yield f"{where} failed{when}: {plain(failed.reason) if failed else 'the reason is not recorded.'}"
            if failed:
                yield f"  -> {plain(failed.remedy)}"
                yield failed.again
            yield from _compared(one)
        case "waiting":
            yield "It waits for a batch of the provider; `seedbank batch list` shows since when."
        case "removed":
            yield f"A seed removes it: {one.reason}."
    if one.outcome == "computed" and one.waits_for:
        yield f"Before that, a seed computes {names(one.waits_for)}."
    if one.outcome not in ("reused", "removed") and one.made is not None:
        yield f"The published result was {made}."


def _compared(one: "StageExplanation") -> Iterator[str]:
    """What differs from what is published, where that is not the reason for what a seed does."""
    if one.changes:
        yield "Compared with the published result:"
        yield from _changes(one.changes)


def _changes(changes: "tuple[Change, ...]") -> Iterator[str]:
    for change in changes:
        yield f"- {plain(change.text)}"
        yield from (f"    {line}" for line in plain_lines("\n".join(change.details)).split("\n") if change.details)
