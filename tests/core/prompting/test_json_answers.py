"""What of a model's words is its answer: never a draft, never what was cut off, and all that is whole."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.endpoints.llm import InvalidOutputError, UnusableReplyError
from seed_assets.core.prompting.json_answers import json_end, read_json
from seed_assets.core.prompting.thoughts import without_thoughts
from tests.support.model_answers import Call, Json, message
from tests.support.model_faults import Fault, always, sequence
from tests.support.model_refusals import Refuses, Says
from tests.support.model_server import ModelServer
from tests.support.model_world import SCHEMA, ModelWorld
from tests.text_growth import growth

pytestmark = pytest.mark.usefixtures("own_environment")

PROVIDERS = ("openai", "ollama")
TEXT = "A text about bread."
FINAL = '{"summary": "final"}'
DRAFT = '{"summary": "draft"}'
QUOTED = json.dumps(SCHEMA.json)


def is_summary(found: Any) -> bool:
    """Whether an answer has the shape of SCHEMA."""
    return isinstance(found, dict) and found.keys() == {"summary"}


THOUGHTS = [
    f"<think>Perhaps {DRAFT}? No.</think>\n{FINAL}",
    f"Perhaps {DRAFT}? No.\n</think>\n\n{FINAL}",
    f"{DRAFT}</think>{FINAL}",
    f"<think>\n```json\n{DRAFT}\n```\nBetter so:\n</think>\n{FINAL}",
    f"A draft:\n```json\n{DRAFT}\n```\n</think>\n```json\n{FINAL}\n```",
    f"<think>The schema is {QUOTED}, so I write</think>{FINAL}",
    f"The schema is {QUOTED}. </think>{FINAL}",
    f"<think>one {DRAFT}</think> <think>two {DRAFT}</think>{FINAL}",
    f"<thinking>{DRAFT}</thinking>{FINAL}",
    f"<reasoning>{DRAFT}</reasoning>{FINAL}",
    f"<THINK>{DRAFT}</THINK>{FINAL}",
    f"[THINK]{DRAFT}[/THINK]{FINAL}",
    f"<seed:think>{DRAFT}</seed:think>{FINAL}",
    f"◁think▷{DRAFT}◁/think▷{FINAL}",
    f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>{FINAL}",
    f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{FINAL}<|return|>",
    f"<|channel|>analysis<|message|>{DRAFT}<|channel|>final <|constrain|>json<|message|>{FINAL}",
    f'<think>What of an unclosed {{ or a [ or a " here?</think>{FINAL}',
    f"<think>It's {{'summary': 'draft'}}</think>Here it is: {FINAL}",
    f"The schema is {QUOTED} and the answer is {FINAL}",
    f"<think>{DRAFT}</think >{FINAL}",
    f"<think>{DRAFT}< / think>{FINAL}",
    f"<think time='3s'>{DRAFT}</think>{FINAL}",
    f"&lt;think&gt;{DRAFT}&lt;/think&gt;{FINAL}",
    f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{FINAL}<|END_RESPONSE|>",
    f"<|thinking|>{DRAFT}<|/thinking|>{FINAL}",
    f"<mm:think>{DRAFT}</mm:think>{FINAL}",
    f"<thought_process>{DRAFT}</thought_process>{FINAL}",
    f"<antThinking>{DRAFT}</antThinking>{FINAL}",
    f"<analysis>{DRAFT}</analysis><answer>{FINAL}</answer>",
    f"<|inner_prefix|>{DRAFT}<|inner_suffix|>{FINAL}",
    f"analysis{DRAFT}assistantfinal{FINAL}",
]


@pytest.mark.parametrize("text", THOUGHTS)
def test_what_stands_before_the_end_of_the_thoughts_is_no_answer(text: str) -> None:
    """A draft is of the right shape, and wrong."""
    assert read_json(text, is_summary) == {"summary": "final"}


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{DRAFT}",
        f"<think>Perhaps:\n```json\n{DRAFT}\n```\n",
        f"<think>done</think><think>{DRAFT}",
        f"{DRAFT}</think>",
        f"<think>{DRAFT}</think>\n  ",
        f"[THINK]{DRAFT}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|>",
        f"<thinking>{DRAFT}</thinking>I cannot do that.",
        f"<think >{DRAFT}",
        f"<|START_THINKING|>{DRAFT}<|END_THINKING|>",
        f"<|START_THINKING|>{DRAFT}",
        f"&lt;think&gt;{DRAFT}",
        f"A draft: {DRAFT}. Better: {FINAL}",
        f"```json\n{DRAFT}\n```\nBetter:\n```json\n{FINAL}\n```",
        f"```json\n{DRAFT}\n```\nBetter: {FINAL}",
    ],
)
def test_a_draft_alone_is_no_answer(text: str) -> None:
    with pytest.raises(UnusableReplyError) as raised:
        read_json(text, is_summary)
    assert raised.value.again == "correct"


@pytest.mark.parametrize(
    "summary",
    [
        "It ends with </think>.",
        "<think> and </think>",
        "An unclosed <think> tag",
        "[/THINK] [THINK]",
        "◁/think▷ } { ] [",
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Here it is: {}",
        "```json\n{}\n```",
        "So:\n```json\n{}\n```\nDone.",
        "<think>Is it so?</think>{}",
        "<think>Is it?</think>Here: {} Done.",
    ],
)
def test_a_mark_in_the_answers_own_words_destroys_nothing(summary: str, around: str) -> None:
    """A text about such models speaks of their marks."""
    answer = {"summary": summary}
    assert read_json(around.replace("{}", json.dumps(answer, ensure_ascii=False)), is_summary) == answer


WHOLE = [
    '{"summary": "a", "n": [1, {"b": "c, \\" d"}]}',
    '{"summary": "a, [b], {c}: \\\\"}',
    "{'summary': 'it''s', 'n': [1, 2,],}",
    '```json\n{"summary": "a"}\n```',
    'Here: {"summary": ["a", "b"]}',
    '[{"a": 1}, {"b": [2]}]',
    '{"a": “b}”, "c": 1}',
    "{`a`: `b}`, 'c': ‘d]}’}",
    '{"a": 1, /* of {b} */ "c": [2]}',
    '{"a": 1, // of {b}\n "c": [2]}',
]


@pytest.mark.parametrize("whole", WHOLE)
def test_what_ends_anywhere_inside_is_no_answer(whole: str) -> None:
    """A half of a summary, closed by a program, reads like a summary."""
    start = min(place for place in (whole.find("{"), whole.find("[")) if place >= 0)
    end = max(whole.rfind("}"), whole.rfind("]"))
    for cut in range(start + 1, end):
        with pytest.raises(UnusableReplyError):
            read_json(whole[:cut])
    assert json_end(whole, start) == (end + 1, "")


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list) and bool(value)),
    st.sampled_from(["{}", "So: {}", "```json\n{}\n```", "<think>hm</think>{}"]),
)
@settings(max_examples=200, deadline=None)
def test_every_answer_is_read_whole_and_no_beginning_of_one_is(value: Any, around: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert read_json(around.replace("{}", text, 1)) == value
    for cut in range(1, len(text)):
        with pytest.raises(UnusableReplyError):
            read_json(text[:cut])


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":[', "{'a':", '["", ['])
@pytest.mark.parametrize("closed", [True, False])
def test_what_is_nested_too_deeply_is_a_wrong_answer(opening: str, closed: bool) -> None:
    """It is the model's fault, not that of the stage's code."""
    closings = {"[": "]", "{": "}"}
    closing = "".join(closings[mark] for mark in reversed(opening) if mark in closings)
    text = opening * 60_000 + ("1" + closing * 60_000 if closed else "")
    with pytest.raises(UnusableReplyError):
        read_json(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "[",
        "}",
        '"',
        "'",
        "\\",
        "a",
        " ",
        "{'",
        '{"',
        "[1,",
        "<think>",
        "</think>",
        "```json\n",
        "{'a' ",
        "' ",
        "<|channel|>",
        "//",
        "/*",
        "/**",
        ":`",
        ":“",
        "&lt;think ",
        "<|START_THINKING",
        "assistant final",
        "<think\t|\t",
        "</think>\t|\t",
        "```json\n|\t",
    ],
)
@pytest.mark.parametrize(
    "read", [read_json, without_thoughts, lambda text: json_end(text, 0)], ids=["all", "thoughts", "end"]
)
def test_reading_takes_time_that_grows_with_the_text(piece: str, read: Callable[[str], Any]) -> None:
    """A model that repeats itself must not hold up a run. piece: after "{", unless it says after what."""
    before, _, piece = piece.rpartition("|") if "\t" in piece else ("{", "", piece)

    def call(text: str) -> None:
        with contextlib.suppress(UnusableReplyError):
            read(before + text + "x")

    assert growth(call, piece, 64_000, 512_000, doublings=3) == ""


REASONS: list[str | None] = [
    None,
    "-",
    "error",
    "max_tokens",
    "MAX_TOKENS",
    "length",
    "abort",
    "unheard_of",
    "stop",
    "",
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_cut_answer_is_not_kept_whatever_the_reason_given(reason: str | None, provider: str, tmp_path: Path) -> None:
    cut = Says(lambda content: content[: len(content) * 2 // 3], reason)
    with ModelServer(always(cut)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        with pytest.raises(Exception, match=r"cut off|broken off|did not answer"):
            world.ask(TEXT)
        assert world.actions() == []
        server.script = always(None)
        assert world.ask(TEXT, world.reuse(retry_failed=True)) == TEXT


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("reason", "kept"), [(None, True), ("-", True), ("unheard_of", True), ("max_tokens", False)])
def test_a_complete_answer_without_a_reported_end_is_kept(
    reason: str | None, kept: bool, provider: str, tmp_path: Path
) -> None:
    """Some servers give no reason with their answers; one that says it was cut off is believed."""
    with (
        ModelServer(sequence(Says(str, reason))) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask(TEXT) == TEXT
        assert len(server.calls) == (1 if kept else 2)


@pytest.mark.parametrize(
    "change", [lambda text: f"Sure! {text}", lambda text: text.replace("}", ",}")], ids=["words", "comma"]
)
def test_an_answer_without_a_reported_end_is_not_repaired(change: Callable[[str], str], tmp_path: Path) -> None:
    with ModelServer(always(Says(change, None))) as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(InvalidOutputError, match="does not say that the answer ended"):
            world.ask(TEXT)
        server.script = always(Says(change))
        assert world.ask(TEXT, world.reuse(retry_failed=True)) == TEXT


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kept", ["<think>%s</think>", "%s</think>", "<think>```json\n%s\n```</think>"])
def test_a_draft_is_never_kept(kept: str, provider: str, tmp_path: Path) -> None:
    drafted = Says(lambda content: kept % DRAFT + content)
    with ModelServer(always(drafted)) as server, ModelWorld(tmp_path, server.url, provider=provider) as world:
        assert world.ask(TEXT) == TEXT
        assert len(server.calls) == 1
        server.script = always(Says(lambda content: kept % DRAFT))
        with pytest.raises(InvalidOutputError):
            world.ask("Another text.")
        assert len(world.actions()) == 1


@pytest.mark.parametrize(
    "content",
    ["[" * 50_000 + "]" * 50_000, '{"summary": "\\ud800"}', "{'summary': 1" + "0" * 400 + "}", '{"summary": NaN}'],
    ids=["deep", "surrogate", "large", "nan"],
)
def test_what_no_store_can_keep_is_a_wrong_answer(content: str, tmp_path: Path) -> None:
    with ModelServer(sequence(Says(lambda _: content))) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask(TEXT) == TEXT
        assert len(server.calls) == 2


def test_a_reply_that_is_nested_too_deeply_is_the_servers_fault(tmp_path: Path) -> None:
    deep = Refuses(200, "[" * 100_000 + "]" * 100_000)
    with ModelServer(sequence(deep)) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask(TEXT) == TEXT
        assert world.outcomes()[0] == "no JSON"


@dataclass(frozen=True, slots=True)
class Parts(Fault):
    """The message as parts, of which the first is a thought."""

    def alter(self, call: Call, payload: Json) -> None:
        said = message(call, payload)
        said["content"] = [{"type": "reasoning", "text": DRAFT}, {"type": "text", "text": said["content"]}]


def test_a_part_that_is_a_thought_is_no_part_of_the_answer(tmp_path: Path) -> None:
    with ModelServer(always(Parts())) as server, ModelWorld(tmp_path, server.url) as world:
        assert world.ask(TEXT) == TEXT
        assert len(server.calls) == 1
