"""The commands `seedbank ask` and `seedbank warm`: their arguments, exit status and output.

What does not belong here: how a question is answered (answering).
"""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.questions.filter_options import (
    ClustersOption,
    ConceptsOption,
    DocumentsOption,
    FoldersOption,
    FormatsOption,
    SinceOption,
    WhereOption,
    filters_of,
)
from cli.streams import print_error, print_json, print_text
from io_managers.plain_text import plain

if TYPE_CHECKING:
    from answering.answers import Question, Reply, Turn
    from answering.asker import Asker

# How much of a cited passage is shown, in characters (a judgement).
_SHOWN = 160


def ask(
    question: Annotated[
        str, typer.Argument(help="The question; without one, a conversation begins, which ends with an empty line.")
    ] = "",
    passages: Annotated[
        int,
        typer.Option(min=0, max=20, help="Make the answer from at most this many passages (0: as configured)."),
    ] = 0,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Answer once more, and pay once more, even if the answer is kept.")
    ] = False,
    folders: FoldersOption = None,
    documents: DocumentsOption = None,
    formats: FormatsOption = None,
    concepts: ConceptsOption = None,
    clusters: ClustersOption = None,
    since: SinceOption = None,
    where: WhereOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents, with numbered sources; a kept answer costs nothing.

    --in, --document, --format, --concept and --cluster may be given several times: a document has to match one of each.
    Each --where has to hold.
    """
    with open_session(None, home, must_exist=True, mirrored=True) as session:
        from answering.answers import Question
        from answering.asker import QuestionError
        from answering.opening import open_asker

        filters = filters_of(folders, documents, formats, concepts, clusters, since, where)
        with _opened(open_asker(session)) as (asker, run):
            if question:
                reply = run(asker.ask(Question(question, limit=passages, filters=filters), refresh=refresh))
                _print(reply, as_json=as_json)
                return
            turns: tuple[Turn, ...] = ()
            for text in _entered():
                try:
                    reply = run(asker.ask(Question(text, turns, passages, filters), refresh=refresh))
                except QuestionError as error:
                    print_error(str(error))
                    continue
                _print(reply, as_json=as_json)
                turns = _with(turns, reply)


def warm(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A text file with one question a line; without one, the questions that were asked most often."
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="At most this many questions.")] = 1_000,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer many questions, so that their answers are kept.

    A question that cannot be asked is named, and the others are answered.
    """
    with open_session(None, home, must_exist=True, mirrored=True) as session:
        from answering.asker import QuestionError
        from answering.opening import open_asker
        from resources.wording import shortened
        from retrieval.filters import FilterError

        with _opened(open_asker(session)) as (asker, run):
            questions = _read(file)[:most] if file is not None else asker.sessions.most_asked(most)
            replies: list[Reply] = []
            refused = 0
            for question in questions:
                try:
                    replies.append(run(asker.ask(question)))
                except (QuestionError, FilterError) as error:
                    refused += 1
                    print_error(f"{plain(shortened(question.text, _SHOWN))}: {error}")
        kept = sum(reply.cache.answer_hit for reply in replies)
        requests = sum(reply.requests for reply in replies)
        usd = sum(reply.usd or 0.0 for reply in replies)
        if as_json:
            counts = {"questions": len(replies), "kept": kept, "refused": refused, "requests": requests}
            print_json(counts | {"usd": round(usd, 6)})
        else:
            asked = f"{requests:,} requests were sent, for ${usd:,.4f}" if requests else "no request was sent"
            print_text(f"{len(replies):,} questions, of which {kept:,} had an answer already; {asked}.")
    if refused:
        raise typer.Exit(1)


@contextmanager
def _opened(asker: "Asker") -> "Iterator[tuple[Asker, Callable[[Awaitable[Reply]], Reply]]]":
    """The asker with a function that waits for a reply; errors of models and budgets become messages."""
    import asyncio

    from resources.errors import ConfigurationError, DocumentError, StoppedError

    with asyncio.Runner() as runner:

        def run(asked: "Awaitable[Reply]") -> "Reply":
            async def waited() -> "Reply":
                return await asked

            try:
                return runner.run(waited())
            except (DocumentError, StoppedError) as error:
                raise ConfigurationError(f"The question could not be answered: {error}") from error

        try:
            yield asker, run
        finally:
            runner.run(asker.aclose())


def _entered() -> Iterator[str]:
    """The questions that are typed, or that stand in standard input, up to an empty line or its end."""
    while True:
        if sys.stdin.isatty():
            print("? ", end="", flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return
        yield line


def _with(turns: "tuple[Turn, ...]", reply: "Reply") -> "tuple[Turn, ...]":
    from answering.answers import Turn
    from answering.asked import MOST_TURNS

    return (*turns, Turn(reply.question.text, reply.answer.text))[-MOST_TURNS:]


def _read(file: Path) -> "Sequence[Question]":
    from answering.answers import Question
    from resources.errors import ConfigurationError

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"The questions in {file} cannot be read: {reason}.") from error
    return [Question(line.strip()) for line in lines if line.strip()]


def _print(reply: "Reply", *, as_json: bool) -> None:
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(reply))
        return
    print_text("\n".join(_lines(reply)))
    if reply.index_behind:
        print_error("The search index does not cover all rows yet, so this answer is not kept. Run `seedbank seed`.")


def _lines(reply: "Reply") -> Iterator[str]:
    from resources.wording import shortened

    answer = reply.answer
    if not answer.found:
        yield "The documents do not say."
        if reply.passages:
            yield ""
            yield "The nearest passages:"
    for sentence in answer.sentences:
        doubt = (
            ""
            if sentence.supported
            else " (the cited places do not say so)"
            if sentence.marks
            else " (without a source)"
        )
        yield f"{plain(sentence.text)} {sentence.marks}{doubt}".rstrip()
    yield ""
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        yield f"[{citation.number}] {plain(citation.document)}{page}, characters {citation.start} to {citation.end}"
        if " ".join(citation.text.split()) not in {sentence.text for sentence in answer.sentences}:
            yield f"    {shortened(' '.join(plain(citation.text).split()), _SHOWN)}"
    if not answer.found:
        for passage in reply.passages[:3]:
            yield f"- {plain(passage.document)}, characters {passage.start} to {passage.end}"
            yield f"    {shortened(' '.join(plain(passage.text).split()), _SHOWN)}"
    cost = "" if not reply.requests else ", price unknown" if reply.usd is None else f", ${reply.usd:.4f}"
    came = "kept" if reply.cache.answer_hit else f"{reply.requests:,} requests{cost}" if reply.requests else "made now"
    yield ""
    if reply.sought:
        yield f"(looked for: {plain(reply.sought)})"
    yield f"({plain(answer.answered_by) or 'no passages'}, {came}, {reply.seconds:.2f} s)"
