"""Separating a model's thoughts from its answer.

What belongs here: the marks of thoughts in the output of known models. What does not: reading the answer (json_answers).

Everything before the last closing mark is thoughts, even without an opening mark, because many chat templates put the
opening mark into the prompt. Text after an opening mark that is never closed is thoughts as well. A mark inside a string of
the answer's JSON does not count.
"""

import json
import re

_NAME = (
    r"(?:[a-z]{1,12}[:_-])?"
    r"(?:think|thinking|thoughts?|thought_process|antthinking|reason|reasoning|reflection|scratchpad|analysis)"
)
_LEFT, _RIGHT = r"(?:<|&lt;)\s{0,3}\|?\s{0,3}", r"(?:\s[^<>{}]{0,100})?\s{0,3}\|?\s{0,3}(?:>|&gt;)"
# <think> of DeepSeek R1, Qwen3 and most others, also escaped or with bars; the marks of Cohere, Magistral, Kimi and
# Apertus; and of gpt-oss, whose `final` channel is the answer, also if a server has removed the marks of channels.
_MARK = re.compile(
    rf"(?P<closing>{_LEFT}/\s{{0,3}}{_NAME}{_RIGHT}|<\|end(?:_of)?_{_NAME}\|>|\[/THINK\]|◁/think▷|<\|inner_suffix\|>"
    r"|<\|channel\|>\s{0,9}final\b[^{\[]{0,200}?<\|message\|>|assistant\s{0,3}final(?=\s{0,9}(?:json\s{0,9})?[{\[`]))"
    rf"|(?P<opening>{_LEFT}{_NAME}{_RIGHT}|<\|(?:begin|start)(?:_of)?_{_NAME}\|>|\[THINK\]|◁think▷|<\|inner_prefix\|>"
    r"|<\|channel\|>\s{0,9}(?:analysis|commentary)\b)"
    r"|(?P<json>[{\[])",
    re.IGNORECASE,
)
_HINT = re.compile(r"<|&lt;|◁|\[/?THINK\]|assistant\s{0,3}final", re.IGNORECASE)
_ENDINGS = re.compile(
    r"(?:<\|(?:return|end|end_response|end_of_box|im_end|eot_id|endoftext|end_of_text)\|>|</answer>)$", re.IGNORECASE
)
# After so many places that look like JSON but are not, no more are tried, to bound the time; chosen by judgement.
_MOST_STARTS = 64
_DECODER = json.JSONDecoder(strict=False)


def without_thoughts(text: str) -> str:
    """Return the text after the thoughts: all of it if there are none, "" if there is nothing else."""
    if _HINT.search(text) is None:
        return text
    begin, end = 0, len(text)
    at = starts = 0
    opened = False
    while (mark := _MARK.search(text, at)) is not None:
        at = mark.end()
        if mark["json"]:
            # Valid JSON is skipped as a whole, so that marks in its strings do not count.
            if starts < _MOST_STARTS and (after := _json_end(text, mark.start())):
                at = after
            else:
                starts += 1
        elif mark["closing"]:
            begin, end, opened = mark.end(), len(text), False
        elif not opened:
            end, opened = mark.start(), True
    return _ENDINGS.sub("", text[begin:end].rstrip())


def _json_end(text: str, start: int) -> int:
    """Return the end of the JSON value that starts at `start`; 0 if there is none."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return 0
    return end if value else 0
