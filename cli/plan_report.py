"""A plan as `seedbank plan` prints it, and the sentence about it that a seed prints before it begins.

What belongs here: layout and wording of what would be done, why, and at what cost. What does not: what is shown of a seed
while it runs and after it (progress), and the figures themselves (seed_assets.planning).
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cli.screen import Screen, columns_of, stage_tables
from cli.warning_list import note_lines
from resources.wording import counted, dollars
from seed_assets.graph.stage import Units
from seed_assets.planning.estimate import total
from seed_assets.planning.plan import UPSTREAM

if TYPE_CHECKING:
    from resources.endpoints.llm import Usage
    from seed_assets.planning.estimate import StageEstimate
    from seed_assets.planning.plan import Plan

# The stage that reads documents. It asks no model, and what it gives decides whether later stages do.
_READING = "extracted_text"


def show_plan(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
    """Print what a seed would do in each stage, why, and what it would cost."""
    console = Screen()
    if not plan.documents and not plan.gone:
        for line in ("The corpus holds no documents, so there is nothing to do.", *note_lines(plan.scan.skipped)):
            console.sentence(line)
        return
    counts: list[tuple[str, ...]] = []
    costs: list[tuple[str, ...]] = []
    reasons: dict[str, list[str]] = {}
    for name, stage in estimates.items():
        at_most = "≤" if stage.upper_bound and stage.compute else ""
        paid = at_most if stage.cost.requests else ""
        amount = dollars(stage.cost.usd, stage.cost.unpriced)
        counts.append((f"{stage.reused:,}", f"{stage.publish:,}", f"{at_most}{stage.compute:,}", f"{stage.left_out:,}"))
        priced = (f"{paid}{stage.cost.requests:,}", f"{paid}{stage.cost.tokens:,}")
        costs.append(
            (*priced, f"{paid}{amount}" if stage.cost.usd else amount) if stage.cost.requests else ("", "", "")
        )
        for reason, count in stage.reasons.items():
            if reason == UPSTREAM:  # the line of the stage before it says the same
                continue
            reasons.setdefault(reason, []).append(f"{name} {count:,}")
    groups = [columns_of(("reused", "publish", "compute", "left out"), counts)]
    if any(stage.cost.requests for stage in estimates.values()):
        groups.append(columns_of(("requests", "tokens", "dollars"), costs))
    console.print(stage_tables(list(estimates), groups, console.width))
    for reason, where in reasons.items():
        console.sentence(f"{reason}: {', '.join(where)}")
    for line in kept_lines({name: stage.kept for name, stage in estimates.items()}):
        console.sentence(line)
    console.sentence(sentence_of(plan, estimates))
    for sentence in (
        *expected_sentences(estimates),
        *batch_sentences(plan, estimates),
        *reading_sentences(estimates),
        *_explanations(plan, estimates),
    ):
        console.sentence(sentence)
    saved = total(stage.saved for stage in estimates.values())
    if saved.requests:
        console.sentence(
            f"Reuse saves {counted(saved.requests, 'request')}, {counted(saved.tokens, 'token')}, {_money(saved)}."
        )
    for line in note_lines(plan.scan.skipped):
        console.sentence(line)


def sentence_of(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> str:
    """The summary of a plan: what is to be done and what it costs."""
    compute = sum(stage.compute for stage in estimates.values())
    publish = sum(stage.publish for stage in estimates.values())
    if not (compute or publish or plan.gone or plan.maintenance):
        return "Nothing to do."
    at_most = "at most " if any(stage.upper_bound for stage in estimates.values()) else ""
    parts = [
        f"{at_most}{counted(compute, 'result')} to compute" if compute else "",
        f"{counted(publish, 'finished result')} to publish" if publish else "",
        f"{counted(len(plan.gone), 'document')} to remove" if plan.gone else "",
        f"{', '.join(plan.maintenance)} to run" if plan.maintenance else "",
    ]
    return f"To do: {', '.join(part for part in parts if part)}; {_cost(estimates)}."


def _cost(estimates: "Mapping[str, StageEstimate]") -> str:
    cost = total(stage.cost for stage in estimates.values())
    if not cost.requests:
        return "no request to a model"
    at_most = "at most " if any(stage.upper_bound and stage.cost.requests for stage in estimates.values()) else ""
    requests, tokens = counted(cost.requests, "request"), counted(cost.tokens, "token")
    return f"{at_most}{requests}, about {tokens}, {at_most if cost.usd else ''}{_money(cost)}"


def expected_sentences(estimates: "Mapping[str, StageEstimate]") -> Iterator[str]:
    """What is expected to be paid, of which stages that is not known yet, and which models have no known price."""
    known = {name: stage.expected for name, stage in estimates.items() if stage.cost.requests and stage.expected}
    unknown = [name for name, stage in estimates.items() if stage.cost.requests and stage.expected is None]
    if known:
        expected = total(known.values())
        of = f" for {', '.join(known)}" if unknown else ""
        yield (
            f"Expected{of}, by what such results have cost in this home so far: {counted(expected.requests, 'request')}, about "
            f"{counted(expected.tokens, 'token')}, {_money(expected)}."
        )
    if unknown:
        yield (
            f"What is expected is not known for {', '.join(unknown)}, since this home has paid for no such result yet. To find "
            "out, seed one document first, with `--documents`."
        )
    if models := dict.fromkeys(model for stage in estimates.values() for model in stage.without_price):
        are = "The price is" if len(models) == 1 else "The prices are"
        yield (
            f"{are} unknown of {', '.join(models)}, since no table of prices that applies to the server names the model. Write "
            "a table and name it in the setting `prices` (docs/models.md)."
        )


def batch_sentences(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> Iterator[str]:
    """What requests cost in batches, in how many rounds; and what waits for batches already."""
    batched = {name: stage for name, stage in estimates.items() if stage.batched != "off" and stage.cost.requests}
    if batched:
        alone, together = (total(getattr(s, name) for s in batched.values()) for name in ("cost", "in_batches"))
        rounds = max(stage.rounds for stage in batched.values())
        few = " if a stage has fewer than 100" if any(stage.batched == "auto" for stage in batched.values()) else ""
        yield (
            f"Of these, {counted(alone.requests, 'request')} of {', '.join(batched)} go into batches of the provider: at most "
            f"{_money(together)} there, and {_money(alone)} alone{few}. That takes up to {counted(rounds, 'round')}, one after "
            "another, and each up to a day; the first request of a run to each model is sent alone."
        )
    if waiting := plan.waiting():
        units = {unit for found in waiting.values() for unit in found}
        yield (
            f"{counted(len(units), 'document or cluster', 'documents or clusters')} {'waits' if len(units) == 1 else 'wait'} for "
            "a batch that has not ended, as far as is known; `seedbank batch list` shows it."
        )


def sentence_of_store(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> str:
    """The summary of a plan under --cache-only: what can be done with finished results alone."""
    left_out = sum(stage.compute for name, stage in estimates.items() if plan.stages[name].stage.kind == "value")
    rows = sum(stage.compute for name, stage in estimates.items() if plan.stages[name].stage.kind == "sink")
    publish = sum(stage.publish for stage in estimates.values())
    parts = [
        f"{publish:,} finished results to publish" if publish else "",
        f"rows of at most {rows:,} documents and clusters to write" if rows else "",
        f"{len(plan.gone):,} documents to remove" if plan.gone else "",
        f"{left_out:,} results are not in the store and are left out" if left_out else "",
    ]
    return f"To do from the store alone: {', '.join(filter(None, parts)) or 'nothing'}."


def reading_sentences(estimates: "Mapping[str, StageEstimate]") -> Iterator[str]:
    """What it means that documents are read again although their files are the same, if there are any."""
    again = estimates[_READING].again if _READING in estimates else 0
    if not again:
        return
    are = "is" if again == 1 else "are"
    yield (
        f"{counted(again, 'document')} {are} read again, which asks no model. What is made from a text is computed again, and "
        "paid for, only if the text turns out different."
    )
    if any(stage.upper_bound and stage.cost.requests for stage in estimates.values()):
        yield (
            f"To know the cost before anything is paid, run `seedbank seed --stages {_READING}` first, and then "
            "`seedbank plan`."
        )


def _explanations(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> Iterator[str]:
    """What the signs and columns of the table mean that are not self-explanatory, if they occur."""
    if any(stage.upper_bound and stage.compute for stage in estimates.values()):
        yield "≤ means at most: what these stages have to compute depends on results that are computed first."
    for unit, units in (("document", (Units.DOCUMENTS,)), ("cluster", (Units.CLUSTER_TYPES, Units.CLUSTERS))):
        counts = [stage.left_out for name, stage in estimates.items() if plan.stages[name].stage.units in units]
        if left_out := max(counts, default=0):
            are, them = ("is", "it") if left_out == 1 else ("are", "them")
            yield (
                f"{counted(left_out, unit)} {are} left out because of earlier failures: `seedbank status` says what to do, and "
                f"`seedbank seed --retry-failed` tries {them} again as {'it is' if left_out == 1 else 'they are'}."
            )


def kept_lines(kept: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """A line for each change although which results are kept. kept: stage -> the change -> how many results."""
    changes: dict[str, list[str]] = {}
    for stage, counts in kept.items():
        for change, count in counts.items():
            changes.setdefault(change, []).append(f"{stage} {count:,}")
    for change, where in changes.items():
        yield f"Kept from before, as the settings say ({change}): {', '.join(where)}"


def _money(usage: "Usage") -> str:
    amount = dollars(usage.usd, usage.unpriced)
    return f"${amount}" if amount[0].isdigit() else f"{amount} dollars"
