"""Calibration: how far a judge agrees with a person. What belongs here: measures of agreement, and how they are shown.

What does not: the file with the person's labels (labelled_summaries), judging (judging, model_judging), and the command that
shows the measures.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from resources.endpoints.llm import EndpointError
from resources.errors import DocumentError
from resources.wording import counted
from seed_assets.core.calibration.labelled_summaries import ANSWERS, Answer, Label, ReadDocument, read_labels, source_of
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.verdicts import Decision, Verdict
from seed_assets.core.workers.parser_pool import ParserPool
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

__all__ = ["Calibration", "FailedLabel", "Label", "calibrate", "calibrate_file", "described", "read_labels"]

_DECISIONS: tuple[Decision, ...] = get_args(Decision)
# So many labels are judged at a time; chosen by judgement.
_AT_ONCE = 16
_DECIMALS = 6
# How many lines of the file a message names.
_NAMED = 20
# The 97.5% quantile of the standard normal distribution, for a 95% interval.
_Z = 1.959964


class FailedLabel(msgspec.Struct, frozen=True):
    """A label that was not counted, because its source could not be read or its summary could not be judged.

    line: the line of the file at which the label begins.
    reason, remedy: what went wrong, and what to do.
    """

    line: int
    reason: str
    remedy: str


class Calibration(msgspec.Struct, frozen=True):
    """How far a judge and a person agree on whether summaries can be accepted as they are.

    judge: the name of the judge.
    count: the number of labels that were judged.
    accuracy: the share of labels on which both agree; None if `count` is 0.
    low, high: the 95% interval of the accuracy (Wilson); None if `count` is 0.
    balanced_accuracy: the mean of the accuracies on summaries that the person accepts and that the person rejects.
    kappa: Cohen's kappa, the agreement beyond chance.
    confusion: the person's answer -> the judge's decision -> the number of labels. `copied` counts as accepted,
        and `revise` as not accepted.
    best_accept: the threshold for accepting that gives the best balanced accuracy on these labels.
    best_balanced_accuracy: the balanced accuracy with that threshold.
    failed: the labels that could not be judged.

    `balanced_accuracy`, `kappa`, `best_accept` and `best_balanced_accuracy` are None if the person gave all summaries the
    same answer, since agreement then shows nothing.
    """

    judge: str
    count: int
    accuracy: float | None
    low: float | None
    high: float | None
    balanced_accuracy: float | None
    kappa: float | None
    confusion: dict[Answer, dict[Decision, int]]
    best_accept: float | None = None
    best_balanced_accuracy: float | None = None
    failed: tuple[FailedLabel, ...] = ()


def calibrate(labels: Sequence[Label], verdicts: Sequence[Verdict]) -> Calibration:
    """Compare verdicts with labels, one verdict per label. Raises ValueError if their numbers differ."""
    pairs: list[tuple[Answer, Verdict]] = [
        (label.answer, verdict) for label, verdict in zip(labels, verdicts, strict=True)
    ]
    confusion = _confusion(pairs)
    judge = ", ".join(sorted({verdict.judge for verdict in verdicts}))
    count = len(pairs)
    if not count:
        return Calibration(judge, 0, None, None, None, None, None, confusion)
    good, bad = (sum(confusion[answer].values()) for answer in ANSWERS)
    good_accepted, bad_accepted = (confusion[answer]["copied"] + confusion[answer]["accept"] for answer in ANSWERS)
    accuracy = (good_accepted + bad - bad_accepted) / count
    low, high = (round(end, _DECIMALS) for end in _interval(accuracy, count))
    found = Calibration(judge, count, round(accuracy, _DECIMALS), low, high, None, None, confusion)
    if not (good and bad):
        return found
    accepted = good_accepted + bad_accepted
    chance = (accepted * good + (count - accepted) * bad) / count**2
    best, best_balanced = _best_threshold([(_ranked(verdict), answer == "accept") for answer, verdict in pairs])
    return msgspec.structs.replace(
        found,
        balanced_accuracy=_balanced(good_accepted / good, bad_accepted / bad),
        kappa=round((accuracy - chance) / (1 - chance), _DECIMALS),
        best_accept=best,
        best_balanced_accuracy=best_balanced,
    )


async def calibrate_file(path: Path, judge: Judge, reuse: Reuse, read: ReadDocument) -> Calibration:
    """Compare a judge with the labels of a file; see read_labels. Labels that fail are listed in `failed`.

    read: reads the documents; a label's source may be the path of one.
    reuse: requests go through it, so that labels that were judged before cost nothing.

    Raises ConfigurationError for a faulty file. Raises EndpointError or StoppedError as the judge does, for failures that
    are not due to a label.
    """
    labels = await asyncio.to_thread(read_labels, path)
    parser = ParserPool(workers=1)
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(label: Label) -> Verdict | FailedLabel:
        async with places:
            try:
                source = await source_of(label, read, parser)
                return await judge.judge(label.summary, (), [source], reuse)
            except EndpointError:
                raise
            except DocumentError as error:
                return FailedLabel(label.line, error.reason, error.remedy)

    try:
        found = await all_of(one(label) for label in labels)
    finally:
        await asyncio.to_thread(parser.close)
    judged = [(label, one) for label, one in zip(labels, found, strict=True) if isinstance(one, Verdict)]
    failed = tuple(one for one in found if isinstance(one, FailedLabel))
    calibration = calibrate([label for label, _ in judged], [verdict for _, verdict in judged])
    return msgspec.structs.replace(calibration, judge=judge.name, failed=failed)


def described(calibration: Calibration) -> str:
    """Format a calibration as lines of text."""
    lines = [f"{calibration.judge}: {counted(calibration.count, 'summary', 'summaries')} judged"]
    if calibration.accuracy is not None and calibration.low is not None and calibration.high is not None:
        lines.append(
            f"accuracy           {calibration.accuracy:.2f} (95% interval {calibration.low:.2f} to {calibration.high:.2f})"
        )
    if calibration.balanced_accuracy is not None and calibration.kappa is not None:
        lines.append(f"balanced accuracy  {calibration.balanced_accuracy:.2f}")
        lines.append(f"Cohen's kappa      {calibration.kappa:.2f}")
    elif calibration.count:
        lines.append("All labels are the same; balanced accuracy and kappa need both accepted and rejected summaries.")
    else:
        lines.append("Nothing could be compared.")
    lines += ["", "a person says  " + "".join(f"{decision:>8}" for decision in _DECISIONS) + "  (the judge)"]
    for answer, counts in calibration.confusion.items():
        lines.append(f"{answer:<15}" + "".join(f"{counts[decision]:>8}" for decision in _DECISIONS))
    best, balanced = calibration.best_balanced_accuracy, calibration.balanced_accuracy
    if best is not None and balanced is not None and best > balanced:
        lines += [
            "",
            f"With judge.accept = {calibration.best_accept:g} the balanced accuracy would be "
            f"{best:.2f} on these labels; on others it may be less.",
        ]
    if calibration.failed:
        lines += ["", f"{len(calibration.failed)} could not be judged:"]
        lines += _failures(calibration.failed)
    return "\n".join(lines)


def _failures(failed: Iterable[FailedLabel]) -> Iterator[str]:
    """A line for each reason with its remedy, with the lines of the file that it holds for."""
    alike: dict[tuple[str, str], list[int]] = {}
    for one in failed:
        alike.setdefault((one.reason, one.remedy), []).append(one.line)
    for (reason, remedy), lines in alike.items():
        named = ", ".join(map(str, lines[:_NAMED]))
        more = f" and {len(lines) - _NAMED:,} more" if len(lines) > _NAMED else ""
        yield f"{'line' if len(lines) == 1 else 'lines'} {named}{more}: {reason} {remedy}"


def _confusion(pairs: Iterable[tuple[Answer, Verdict]]) -> dict[Answer, dict[Decision, int]]:
    found: dict[Answer, dict[Decision, int]] = {answer: dict.fromkeys(_DECISIONS, 0) for answer in ANSWERS}
    for answer, verdict in pairs:
        found[answer][verdict.decision] += 1
    return found


def _ranked(verdict: Verdict) -> float:
    """Return the score by which a threshold would accept; a text that is copied is accepted with any threshold."""
    return 1.0 if verdict.score is None else verdict.score


def _balanced(good_accepted: float, bad_accepted: float) -> float:
    return round((good_accepted + 1 - bad_accepted) / 2, _DECIMALS)


def _interval(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share that was measured on `count` cases."""
    spread = _Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def _best_threshold(scored: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return (threshold, balanced accuracy with it); ties go to the threshold in the widest gap between scores."""
    good = sum(accept for _, accept in scored)
    bad = len(scored) - good
    accepted_good, accepted_bad = good, bad
    candidates = [(0.5, 0.0, 0.0)]
    scores = sorted({score for score, _ in scored})
    for score, above in zip(scores, [*scores[1:], None], strict=True):
        accepted_good -= sum(accept for one, accept in scored if one == score)
        accepted_bad -= sum(not accept for one, accept in scored if one == score)
        if above is not None:
            balanced = _balanced(accepted_good / good, accepted_bad / bad)
            candidates.append((balanced, round(above - score, _DECIMALS), _between(score, above)))
    balanced, _, threshold = max(candidates)
    return threshold, balanced


def _between(low: float, high: float) -> float:
    """Return a number with few digits that is above `low` and at most `high`."""
    for digits in range(2, 7):
        middle = round((low + high) / 2, digits)
        if low < middle <= high:
            return middle
    return high
