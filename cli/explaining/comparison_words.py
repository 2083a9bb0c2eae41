"""What a comparison comes to, in sentences: what changes, verdicts, preferences, and what the change would cost.

What belongs here: wording that a terminal and a page share. What does not: layout (comparison_report, comparison_page).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cli.money import dollars
from resources.wording import counted

if TYPE_CHECKING:
    from seed_assets.comparing.comparison import Comparison, DocumentComparison, Spent
    from seed_assets.core.judging.verdicts import Verdict


def change_sentences(found: "Comparison") -> Iterator[str]:
    """What the settings change in which stages."""
    stages: dict[str, list[str]] = {}
    for stage, changes in found.changes.items():
        for change in changes:
            stages.setdefault(change.text, []).append(stage)
    for text, names in stages.items():
        yield f"{text} ({', '.join(names)})"
    if not found.changes:
        yield "No key of a stage differs from those of the published results: there is nothing to compare."
    elif not found.documents:
        yield "No stage with results of single documents changes, so there is nothing to compare on a sample."
    if found.elsewhere:
        yield f"Computed again as well, and not part of a sample of documents: {', '.join(found.elsewhere)}."
    if found.kept:
        yield (
            f"The settings keep published results of {', '.join(found.kept)}: a seed would use the change for new and edited "
            "documents only."
        )


def sum_sentences(found: "Comparison") -> Iterator[str]:
    """Verdicts, preferences, costs and the projection to all documents."""
    if not found.documents:
        return
    yield from _verdicts(found)
    yield from _preferences(found)
    paid = f"This comparison cost {_money(found.paid)} for {counted(found.paid.requests, 'request')}"
    judge = f", of which {_money(found.paid_to_judge)} went to the judge" if found.paid_to_judge.requests else ""
    yield f"{paid}{judge}. Everything is in the store and is not paid for again."
    yield from _projection(found)
    if found.stopped:
        yield f"Not all documents were tried: {found.stopped}."


def preference_sentence(one: "DocumentComparison", judge: str) -> str:
    """What the judge said about one document; "" if it was not asked."""
    if one.no_preference:
        return f"{judge} gave no preference: {one.no_preference}"
    found = one.preference
    if found is None:
        return ""
    if found.swayed:
        return f"{judge} prefers whichever text it reads at the same place, which counts as a tie: {found.reasons[0]}"
    which = {"first": "the published text", "second": "the new text", "tie": "neither text"}[found.better]
    return f"{judge} prefers {which}: {found.reasons[0]}"


def arrow(before: str, now: str) -> str:
    """Two values of one thing; one if they are equal."""
    return before if before == now else f"{before} → {now}"


def _verdicts(found: "Comparison") -> Iterator[str]:
    before, now = found.verdicts()
    if not before:
        return
    old, new = Counter(one.decision for one in before), Counter(one.decision for one in now)
    decisions = [f"{name} {arrow(str(old[name]), str(new[name]))}" for name in old.keys() | new.keys()]
    review = arrow(*(str(number) for number in found.to_review()))
    scores = arrow(_mean(before), _mean(now))
    said = f"; mean score {scores}" if scores != "none" else ""
    yield f"Verdicts: {', '.join(sorted(decisions))}{said}; to be reviewed: {review}."


def _mean(verdicts: "Sequence[Verdict]") -> str:
    scores = [one.score for one in verdicts if one.score is not None]
    return f"{sum(scores) / len(scores):.2f}" if scores else "none"


def _preferences(found: "Comparison") -> Iterator[str]:
    counts = found.preferred()
    asked = counts["before"] + counts["now"] + counts["tie"]
    if asked:
        swayed = f" ({counts['swayed']} because its answers contradict each other)" if counts["swayed"] else ""
        yield (
            f"{found.judge} prefers the new text of {counted(counts['now'], 'document')}, and the published one of "
            f"{counts['before']:,}; of {counts['tie']:,} it prefers neither{swayed}."
        )


def _projection(found: "Comparison") -> Iterator[str]:
    projection = found.projection
    if projection is None or not projection.documents:
        return
    rest = f"the other {counted(projection.documents, 'document')}"
    expected, most = projection.expected, projection.at_most
    if not expected.requests and not most.requests:
        yield f"For {rest}, a seed asks no model, and computes for about {expected.seconds:,.1f} s."
    else:
        yield (
            f"For {rest}, a seed is expected to cost {_money(expected)}, with {counted(expected.requests, 'request')} and "
            f"{counted(expected.tokens, 'token')}, in proportion to the sizes of the files. The plan says at most "
            f"{_money(most)} and {counted(most.requests, 'request')}."
        )
    if projection.at_most_elsewhere.requests:
        other = projection.at_most_elsewhere
        yield f"For clusters and the corpus, the plan says at most {_money(other)} and {counted(other.requests, 'request')} more."


def _money(cost: "Spent") -> str:
    amount = dollars(cost.usd, cost.unpriced)
    return f"${amount}" if amount[0].isdigit() else f"{amount} dollars"
