"""Long documents in parts, summaries and concepts by a model, and the files that they are asked with."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from resources.endpoints import circuit_breaker
from resources.endpoints.llm import InvalidOutputError, TransientLLMError
from resources.errors import ConfigurationError, DocumentError
from resources.models.chat_model import ChatModel
from resources.models.tokens import at_most_tokens, count_tokens
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.concepts.model_concepts import ConceptsAnswer, ModelConceptExtractor
from seed_assets.core.prompting.prompts import FOLDER, load_prompt
from seed_assets.core.summaries.model_summarizing import ModelSummarizer, SummaryAnswer
from seed_assets.core.text.text_parts import split_for_model
from tests.support.model_answers import Call, fitting_answer
from tests.support.model_faults import Fault, Status
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld, question
from tests.support.pipelines import essay

pytestmark = pytest.mark.usefixtures("own_environment")

SMALL: Mapping[str, Any] = {"context_tokens": 2_000, "max_output_tokens": 300}
CHINESE = "面包在烤箱里烤了很久。铁路的信号灯亮了，火车慢慢地开走了。" * 120
TEXTS = {
    "paragraphs": essay("bread", 40),
    "one-paragraph": essay("bread", 20).replace("\n\n", " "),
    "one-huge-word": "x7" * 12_000,
    "a-huge-word-among-others": "Before it. " + "Donau" * 4_000 + " After it.",
    "chinese": CHINESE,
    "uneven": "word " * 3_000 + "😀🧨" * 1_500,
}
DOCUMENT = (
    "The Atlantic cod was fished for centuries. Quotas came late, in 1992, when the stock had collapsed.\n"
    "Trawlers from many nations\ttook part; the moratorium of John Crosbie ended it. Some forty thousand people lost "
    "their work in a single summer."
)


def room(model: ChatModel) -> int:
    """Tokens that a whole request may have."""
    return model.context_tokens - model.max_output_tokens


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_parts_cover_the_text_and_each_fits(text: str, tmp_path: Path) -> None:
    """A part that does not fit is refused, or by Ollama cut off in silence; what is in no part is in no summary."""
    with ModelWorld(tmp_path, **SMALL) as world:
        model = world.model()
        around = question("")
        parts = asyncio.run(split_for_model(None, text, model, around))
        needed = sum(count_tokens(turn.text) for turn in around)
        assert all(count_tokens(part) + needed <= room(model) for part in parts)
    assert len(parts) > 1
    assert "".join("".join(parts).split()) == "".join(text.split())
    found = 0
    for part in parts:
        assert part.strip()
        found = text.index(part, found) + len(part)


@pytest.mark.parametrize(
    "text", ["", "Short.", essay("bread", 4), "好" * 300], ids=["empty", "short", "essay", "chinese"]
)
def test_what_fits_is_not_divided(text: str, tmp_path: Path) -> None:
    """White space included: the text is what is asked about."""
    with ModelWorld(tmp_path, **SMALL) as world:
        assert asyncio.run(split_for_model(None, f"\n {text}\n", world.model(), question(""))) == [f"\n {text}\n"]


def test_parts_are_few_and_of_about_equal_length(tmp_path: Path) -> None:
    """A last part of two sentences would get as long a summary as all others."""
    with ModelWorld(tmp_path, **SMALL) as world:
        parts = asyncio.run(split_for_model(None, TEXTS["paragraphs"], world.model(), question("")))
        needed = count_tokens(TEXTS["paragraphs"]) / (room(world.model()) * 0.9)
    assert len(parts) <= needed + 2
    assert min(map(len, parts)) > max(map(len, parts)) / 3


DENSE = {
    "chinese": CHINESE,
    "emoji": "😀🧨" * 50,
    "code": "def f(x):\n\treturn x ** 2  # ²\n" * 50,
    "hexadecimal": "".join(f"{number * 7919:04x}" for number in range(999)),
}


@pytest.mark.parametrize("text", ["", DOCUMENT, essay("bread"), "Die Straße nach Zürich führt über Sörenberg. " * 20])
def test_the_estimate_that_budgets_hold_back_is_more_than_prose_has(text: str) -> None:
    assert count_tokens(text) <= at_most_tokens(text) <= len(text.encode()) + 1


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE)
def test_and_more_than_any_text_has(text: str) -> None:
    """A budget that is held back too little is overspent."""
    assert at_most_tokens(text) >= count_tokens(text)


def summarized(world: ModelWorld, text: str, words: int = 40) -> str:
    """By a new run."""
    return world.run(ModelSummarizer(world.model(), words).summarize(text, "A title", world.reuse())).text


def test_what_decides_a_summary_or_concepts_is_spelled_as_in_every_key_there_is(tmp_path: Path) -> None:
    """Another spelling would pay for every document again."""
    with ModelWorld(tmp_path, context_tokens=9_000) as world:
        model = world.model()
        shared = {"version": "1", "model": dict(model.identity), "context_tokens": 9_000}
        assert dict(ModelSummarizer(model, 40).identity) == {
            "summarizer": "model",
            "words": 40,
            "prompt": load_prompt("summaries").digest,
            **shared,
        }
        assert dict(ModelConceptExtractor(model, 15).identity) == {
            "extractor": "model",
            "count": 15,
            "prompt": load_prompt("concepts").digest,
            **shared,
        }


def kinds(calls: Sequence[Call]) -> Counter[str]:
    """How many asked for what."""
    signs = {"This is part": "part", "These are summaries": "combine", "Summarise this document": "whole"}
    return Counter(next(kind for sign, kind in signs.items() if sign in call.texts()[1]) for call in calls)


def test_a_document_that_fits_is_summarised_by_one_request(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        assert summarized(world, DOCUMENT).startswith("The Atlantic cod")
        assert kinds(server.calls) == {"whole": 1}
        assert "at most 40 words" in server.calls[0].texts()[1]
        assert "Title: A title" in server.calls[0].texts()[1]
        assert summarized(world, " \n") == ""
        assert len(server.calls) == 1


@pytest.mark.slow
def test_a_long_document_is_summarised_in_parts_each_an_action(tmp_path: Path) -> None:
    text = TEXTS["paragraphs"]
    with ModelServer() as server, ModelWorld(tmp_path, server.url, **SMALL) as world:
        summary = summarized(world, text)
        calls = server.calls
        asked = kinds(calls)
        assert asked["part"] > 1
        assert asked == {"part": asked["part"], "combine": 1}
        assert len(world.actions()) == len(calls)
        # Each request fits, with all that is around the text, and none is about to be cut off.
        assert all(sum(map(count_tokens, call.texts())) <= room(world.model()) for call in calls)
        assert kinds(calls[-1:]) == {"combine": 1}
        assert f"the {asked['part']} parts" in calls[-1].texts()[1]
        assert summarized(world, text) == summary
        assert len(server.calls) == len(calls)


def test_a_part_that_fails_loses_none_of_the_others(tmp_path: Path) -> None:
    """The next run asks for that part, and for the whole."""
    fails = [True]

    def script(call: Call, earlier: int) -> Fault | None:
        return Status(503) if fails[0] and "This is part 2 of" in call.texts()[1] else None

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url, **SMALL) as world:
        with pytest.raises(TransientLLMError):
            summarized(world, TEXTS["paragraphs"])
        done = sum(server.valid_answers.values())
        assert done == len(world.actions()) > 1
        fails[0] = False
        before = len(server.calls)
        assert summarized(world, TEXTS["paragraphs"])
        again = server.calls[before:]
        assert kinds(again) == {"part": 1, "combine": 1}
        assert "This is part 2 of" in again[0].texts()[1]


def test_summaries_that_never_get_shorter_are_given_up(tmp_path: Path) -> None:
    """A model that repeats what it is given would be asked, and paid, without an end."""

    def repeats(call: Call) -> str:
        return json.dumps({"summary": f"{call.number} " + "word " * 900})

    with ModelServer(answer=repeats) as server, ModelWorld(tmp_path, server.url, **SMALL) as world:
        with pytest.raises(InvalidOutputError, match="too long to be put together"):
            summarized(world, "word " * 1_800)
        # Two parts became two parts that are no shorter: to go on would cost more and come to no end.
        assert len(server.calls) == 2


def test_an_empty_summary_is_corrected(tmp_path: Path) -> None:
    def first_empty(call: Call) -> str:
        return fitting_answer(call) if call.number else '{"summary": " \\n "}'

    with ModelServer(answer=first_empty) as server, ModelWorld(tmp_path, server.url) as world:
        assert summarized(world, DOCUMENT)
        assert "the summary is empty" in server.calls[1].texts()[-1]


def concepts_of(world: ModelWorld, text: str, count: int = 15) -> Concepts:
    """By a new run."""
    return world.run(ModelConceptExtractor(world.model(), count).extract(text, "A title", world.reuse()))


def answering(*concepts: tuple[str, str], then: Callable[[Call], str] = fitting_answer) -> Callable[[Call], str]:
    """These names with their evidence to the first request, and `then` to all others."""
    wanted = [{"name": name, "kind": "term", "evidence": evidence} for name, evidence in concepts]
    return lambda call: then(call) if call.number else json.dumps({"concepts": wanted})


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        ("Quotas came late", "Quotas came late"),
        ("  the moratorium of John Crosbie ended it. ", "the moratorium of John Crosbie ended it."),
        ("nations took part, the moratorium", "nations\ttook part; the moratorium"),
        ("COLLAPSED. Trawlers", "collapsed.\nTrawlers"),
    ],
)
def test_evidence_is_found_whatever_signs_and_spaces_it_has(evidence: str, shown: str, tmp_path: Path) -> None:
    with ModelServer(answer=answering(("a name", evidence))) as server, ModelWorld(tmp_path, server.url) as world:
        (concept,) = concepts_of(world, DOCUMENT).concepts
        assert len(server.calls) == 1
    assert DOCUMENT[concept.start : concept.end] == shown
    assert (concept.name, concept.kind, concept.score) == ("a name", "term", 1.0)


def test_a_concept_without_evidence_in_the_document_is_dropped(tmp_path: Path) -> None:
    """What a model knows from elsewhere is not in the document, however true it is."""
    wanted = (("cod", "Atlantic cod"), ("haddock", "haddock was fished as well"), ("Quotas", "Quotas came late"))
    with ModelServer(answer=answering(*wanted)) as server, ModelWorld(tmp_path, server.url) as world:
        assert [concept.name for concept in concepts_of(world, DOCUMENT).concepts] == ["cod", "quotas"]
        assert len(server.calls) == 1


def test_an_answer_mostly_without_evidence_is_corrected_once(tmp_path: Path) -> None:
    wanted = (("cod", "Atlantic cod"), ("haddock", "haddock was fished as well"), ("tuna", "so was the tuna"))
    with ModelServer(answer=answering(*wanted)) as server, ModelWorld(tmp_path, server.url) as world:
        found = concepts_of(world, DOCUMENT).concepts
        assert found
        assert all(concept.name in DOCUMENT for concept in found)
        problem = server.calls[1].texts()[-1]
        assert "2 of 3 concepts" in problem
        assert "haddock was fished" in problem
        assert world.outcomes() == ["wrong answer", "answered"]
    always_wrong = answering(*wanted, then=answering(*wanted))
    with ModelServer(answer=lambda call: always_wrong(server.calls[0])) as server:
        with ModelWorld(tmp_path / "other", server.url) as world, pytest.raises(InvalidOutputError):
            concepts_of(world, DOCUMENT)
        assert len(server.calls) == 2


def test_no_concept_is_an_answer_for_a_few_words_only(tmp_path: Path) -> None:
    with ModelServer(answer=answering()) as server, ModelWorld(tmp_path, server.url) as world:
        assert concepts_of(world, DOCUMENT).concepts
        assert "there is no concept" in server.calls[1].texts()[-1]
    with ModelServer(answer=answering()) as server, ModelWorld(tmp_path / "other", server.url) as world:
        assert concepts_of(world, "Page 12 of 30").concepts == ()
        assert len(server.calls) == 1
        assert concepts_of(world, "\n").concepts == ()


def test_a_blank_name_is_corrected_like_any_other_mistake(tmp_path: Path) -> None:
    """The schema's strings may be blank, so servers that keep to it let them pass."""
    with (
        ModelServer(answer=answering((" ", "Quotas came late"))) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        assert concepts_of(world, DOCUMENT).concepts
        assert len(server.calls) == 2


def test_concepts_of_parts_point_into_the_whole_text(tmp_path: Path) -> None:
    """Offsets of a part would show another passage of the document."""
    text = "\n\n".join(essay(f"subject{letter}alphabet", 1) for letter in "abcdefghijklmnopqrstuvwxyz")
    with ModelServer() as server, ModelWorld(tmp_path, server.url, **SMALL) as world:
        found = concepts_of(world, text, 20).concepts
        evidence = {
            " ".join(concept["evidence"].split())
            for call in server.calls
            for concept in json.loads(fitting_answer(call))["concepts"]
        }
        assert len(server.calls) == len(world.actions()) > 2
        assert "This is part" in server.calls[0].texts()[1]
    assert len(found) > 6
    assert all(" ".join(text[concept.start : concept.end].split()) in evidence for concept in found)
    own = [concept for concept in found if concept.name.startswith("subject")]
    assert len({concept.start for concept in own}) == len(own) > 3
    assert all(concept.name in text[concept.start : concept.end] for concept in own)


def test_the_best_of_every_part_come_first_and_none_twice(tmp_path: Path) -> None:
    text = "\n\n".join(essay(f"subject{letter}alphabet", 1) for letter in "abcdefghijklmnopqrstuvwxyz")
    with ModelServer() as server, ModelWorld(tmp_path, server.url, **SMALL) as world:
        found = concepts_of(world, text, 4).concepts
        parts = len(server.calls)
        answers = [json.loads(fitting_answer(call))["concepts"] for call in server.calls]
    assert len(found) == 4
    assert parts > 4
    names = [concept.name.casefold() for concept in found]
    assert len(set(names)) == len(names)
    best = {answer[0]["name"].casefold() for answer in answers}
    assert set(names[: min(len(best), 4)]) <= best
    assert [concept.score for concept in found] == sorted((concept.score for concept in found), reverse=True)


def test_a_value_may_hold_braces_and_the_names_of_places() -> None:
    """Documents are about templates as well."""
    prompt = load_prompt("summaries")
    value = "{title} {words} {unknown} {} {{ }}"
    filled = prompt.fill("whole", title="T", words=7, text=value)
    assert value in filled
    assert "Title: T\n" in filled
    assert "7 words" in filled
    assert prompt.turns("whole", title="T", words=7, text=value)[0].text == prompt.texts["system"]


@pytest.mark.parametrize("name", ["summaries", "concepts", "structured_output"])
def test_every_character_of_a_prompts_files_is_in_its_digest(name: str, tmp_path: Path) -> None:
    files = [path for path in (FOLDER / f"{name}.toml", FOLDER / f"{name}.schema.json") if path.exists()]
    digests = [load_prompt(name).digest]
    for number, changed in enumerate([None, *files]):
        folder = tmp_path / str(number)
        folder.mkdir()
        for path in files:
            (folder / path.name).write_bytes(path.read_bytes() + (b"\n" if path == changed else b""))
        digests.append(load_prompt(name, folder).digest)
    # A copy has the same; a blank line at the end has not.
    assert digests[0] == digests[1]
    assert len(set(digests)) == 1 + len(files)


@pytest.mark.parametrize(
    ("content", "schema"),
    [
        (None, None),
        (b"version = ", None),
        (b'version = 1\nsystem = "x"', None),
        (b'system = "x"', None),
        (b'version = "1"\nwords = 7', None),
        (b'version = "1"\nsystem = "\xff"', None),
        (b'version = "1"', b"{"),
    ],
    ids=["missing", "no-toml", "number", "no-version", "no-text", "no-utf8", "no-schema"],
)
def test_a_broken_prompt_is_named(content: bytes | None, schema: bytes | None, tmp_path: Path) -> None:
    """People edit them."""
    if content is not None:
        (tmp_path / "mine.toml").write_bytes(content)
    if schema is not None:
        (tmp_path / "mine.schema.json").write_bytes(schema)
    with pytest.raises(ConfigurationError, match=r"mine\.toml"):
        load_prompt("mine", tmp_path)


def _shape(schema: Mapping[str, Any], root: Mapping[str, Any]) -> object:
    """What a schema demands of types, names and choices; words for people and lengths left out."""
    if "$ref" in schema:
        return _shape(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    properties = {name: _shape(each, root) for name, each in schema.get("properties", {}).items()}
    items = _shape(schema["items"], root) if "items" in schema else None
    required, closed = sorted(schema.get("required", ())), schema.get("additionalProperties")
    return schema["type"], list(properties), properties, items, required, closed, schema.get("enum")


@pytest.mark.parametrize(
    ("name", "answer"), [("summaries", SummaryAnswer), ("concepts", ConceptsAnswer)], ids=["summaries", "concepts"]
)
def test_the_schema_of_each_prompt_agrees_with_the_check_of_its_answers(name: str, answer: type[BaseModel]) -> None:
    """Else it is corrected for what it was asked to say."""
    wanted, checked = load_prompt(name).schema, answer.model_json_schema()
    assert wanted is not None
    assert _shape(wanted.json, wanted.json) == _shape(checked, checked)


def test_the_part_that_failed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The part whose refusal is one too many in a row reports that all are refused; the order of replies decides which.
    monkeypatch.setattr(circuit_breaker, "REFUSALS_TO_PROBE", 1_000)
    with (
        ModelServer(lambda call, earlier: Status(400, "no")) as server,
        ModelWorld(tmp_path, server.url, **SMALL) as world,
    ):
        with pytest.raises(DocumentError, match="refused the request"):
            summarized(world, TEXTS["chinese"])
        # Every part was tried, since none knows of the others.
        assert len(server.calls) > 1
