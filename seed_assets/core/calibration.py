"""How far a judge agrees with a person. What belongs here: texts that a person has labelled, and figures of agreement.

What does not: judging (judging, model_judging), and the command that shows the figures.
"""

import asyncio
import csv
import io
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import unquote

import msgspec

from resources.errors import ConfigurationError, DocumentError
from resources.formats import SUFFIXES
from resources.llm import EndpointError
from seed_assets.core.judging import Judge
from seed_assets.core.parser_pool import ParserPool
from seed_assets.core.text_decoding import decode_text
from seed_assets.core.verdicts import Decision, SourceText, Verdict
from seed_assets.reuse import Reuse

Answer = Literal["accept", "reject"]

COLUMNS = ("summary", "source", "label")
"""What the first line of a file of labels names; other columns are left alone."""

_ANSWERS: Mapping[str, Answer] = {
    **dict.fromkeys(("accept", "accepted", "good", "yes", "true", "1"), "accept"),
    **dict.fromkeys(("reject", "rejected", "bad", "no", "false", "0"), "reject"),
}
_DELIMITERS = (",", ";", "\t")
_MOST_CELL_CHARACTERS = 2**31 - 1
_MOST_PATH_CHARACTERS = 1_000
_NAMED_PROBLEMS = 5
_AT_ONCE = 16
# Of a normal distribution, for an interval that holds the truth in 95 of 100 cases.
_Z = 1.959964


class Label(msgspec.Struct, frozen=True):
    """What a person says of a summary. line: where it begins in the file. source: a text, or a document's path."""

    line: int
    summary: str
    source: str
    answer: Answer

    @property
    def document(self) -> str:
        """The path that the source is, "" where it is a text: one line that ends like the name of a document."""
        line = self.source.strip()
        named = len(line) <= _MOST_PATH_CHARACTERS and "\n" not in line
        return line if named and Path(line).suffix.lower() in SUFFIXES else ""


class FailedLabel(msgspec.Struct, frozen=True):
    """A label that counts in no figure, since its source could not be read or its summary not be judged."""

    line: int
    reason: str
    remedy: str


class Calibration(msgspec.Struct, frozen=True):
    """How a judge and a person agree on whether summaries can be accepted as they are.

    count: labels that were judged. accuracy: share on which both agree; low, high: its 95% interval (Wilson). All three
    None where count is 0. balanced_accuracy: mean of the shares among those that the person accepts and rejects.
    kappa: Cohen's, agreement beyond chance. confusion: by the person's answer, then by the judge's decision; a judge who
    says `revise` does not accept. best_accept: which share of supported claims, as the threshold for accepting, would
    have given best_balanced_accuracy, the most that any gives on these same labels. The last five but confusion are
    None where the person gave one answer to all, since agreement with that shows nothing.
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


def read_labels(path: Path) -> list[Label]:
    """The labels of a CSV file with the columns `summary`, `source` and `label`, in the file's order.

    source: the text that is summarised, or the path of a document. label: accept or reject, good or bad, yes or no, 1 or
    0. Columns are separated by commas, semicolons or tabs. Raises ConfigurationError, which names the file, the lines,
    what is wrong with them and what to do.
    """
    rows = _rows(path)
    names = [" ".join(cell.split()).casefold() for cell in rows[0][1]] if rows else []
    for name in COLUMNS:
        if names.count(name) != 1:
            found = ", ".join(filter(None, names))[:300] or "nothing"
            raise _wrong(
                path,
                f"needs one column `{name}` in its first line; found: {found}.",
                f"Name the columns {', '.join(COLUMNS)}.",
            )
    labels: list[Label] = []
    problems: list[str] = []
    for line, row in rows[1:]:
        summary, source, said = (
            row[place].strip() if (place := names.index(name)) < len(row) else "" for name in COLUMNS
        )
        answer = _ANSWERS.get(said.casefold())
        if len(row) > len(names):
            problems.append(f"line {line} has {len(row)} cells for {len(names)} columns")
        elif empty := [name for name, cell in zip(COLUMNS, (summary, source, said), strict=True) if not cell]:
            problems.append(f"line {line} has no {' and no '.join(empty)}")
        elif answer is None:
            problems.append(f"line {line} has the label {said[:40]!r}")
        else:
            labels.append(Label(line, summary, source, answer))
    if problems:
        more = f"; and {others} more" if (others := len(problems) - _NAMED_PROBLEMS) > 0 else ""
        raise _wrong(
            path,
            f"has lines that cannot be used: {'; '.join(problems[:_NAMED_PROBLEMS])}{more}.",
            "Fill all three cells, quote those that hold the separator, and let each label be accept or reject "
            "(or good or bad, yes or no, 1 or 0).",
        )
    if not labels:
        raise _wrong(path, "has no labels below its first line.", "Add a line for each summary that you have judged.")
    return labels


def calibrate(labels: Sequence[Label], verdicts: Sequence[Verdict]) -> Calibration:
    """How the verdicts, one for each label, agree with the labels. Raises ValueError where they are not as many."""
    pairs = [(label.answer, verdict) for label, verdict in zip(labels, verdicts, strict=True)]
    confusion: dict[Answer, dict[Decision, int]] = {
        answer: {decision: 0 for decision in get_args(Decision)} for answer in get_args(Answer)
    }
    for answer, verdict in pairs:
        confusion[answer][verdict.decision] += 1
    judge = ", ".join(sorted({verdict.judge for verdict in verdicts}))
    good, bad = (sum(confusion[answer].values()) for answer in get_args(Answer))
    count = good + bad
    if not count:
        return Calibration(judge, 0, None, None, None, None, None, confusion)
    right = confusion["accept"]["accept"] + bad - confusion["reject"]["accept"]
    accuracy = right / count
    low, high = _interval(accuracy, count)
    figures = [round(figure, 6) for figure in (accuracy, low, high)]
    if not (good and bad):
        return Calibration(judge, count, *figures, None, None, confusion)
    balanced = (confusion["accept"]["accept"] / good + 1 - confusion["reject"]["accept"] / bad) / 2
    accepted = confusion["accept"]["accept"] + confusion["reject"]["accept"]
    chance = (accepted * good + (count - accepted) * bad) / count**2
    kappa = (accuracy - chance) / (1 - chance)
    best, best_balanced = _best_threshold([(verdict.score, answer == "accept") for answer, verdict in pairs])
    return Calibration(judge, count, *figures, round(balanced, 6), round(kappa, 6), confusion, best, best_balanced)


async def calibrate_file(path: Path, judge: Judge, reuse: Reuse, folder: Path) -> Calibration:
    """How a judge agrees with the labels of a file; see read_labels. A label that fails stands among `failed`.

    folder: the documents, which sources are paths in. reuse: through which the judge asks others, so that each request
    is an action and labels that were judged before cost nothing. Raises ConfigurationError for the file, and what the
    judge raises where no label is to blame: EndpointError, StoppedError.
    """
    labels = await asyncio.to_thread(read_labels, path)
    parser = ParserPool(workers=1)
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(label: Label) -> Verdict | FailedLabel:
        async with places:
            try:
                source = await _source(label, folder, parser)
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
