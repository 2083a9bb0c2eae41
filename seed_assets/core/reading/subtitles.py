"""Subtitles (SubRip .srt, WebVTT .vtt): what is spoken, without numbers, times and marks.

What does not belong here: other texts with times in them, such as logs.
"""

import html
import re
from itertools import pairwise
from typing import NamedTuple

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
# Blocks of WebVTT that hold no speech.
_SILENT = ("NOTE", "STYLE", "REGION", "WEBVTT")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]{1,200})>")
# Tags for letters, colours and times of words, and the placing of SubStation Alpha; a "<" of the text has a blank after it.
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<\d[\d:.]{0,20}>|\{\\[^{}\n]{0,200}\}")
# The numbers were chosen by judgement. A longer silence, in seconds, ends a paragraph; so does the end of a sentence after so
# many characters.
_PAUSE_SECONDS = 3.0
_PARAGRAPH_CHARACTERS = 600
# Captions are rolling if so large a share of them begins with what the one before ended with.
_ROLLING_SHARE = 0.3
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", '."', '!"', '?"')
_SPEAKER = re.compile(r"[^\s:][^:]{0,40}:\s|[-–—]\s?\S|>>")


class _Cue(NamedTuple):
    """start, end: in seconds. lines: what is displayed, without marks."""

    start: float
    end: float
    lines: list[str]


def read_subtitles(data: bytes) -> ExtractedText:
    """Read what is spoken as running text. A pause, another speaker, and the end of a sentence in a long one end a paragraph.

    Captions that roll repeat the line before the current one, or grow word by word; each line is kept once.

    Raises DocumentError for a file that is binary, or without a line of times.
    """
    characters, encoding = decode_text(data)
    cues = _cues(characters.replace("\r\n", "\n").replace("\r", "\n"))
    if cues is None:
        raise DocumentError(
            "the file has no subtitles: no line gives the times of one (00:00:01,000 --> 00:00:02,000).",
            "Restore it from its source, or give it the suffix .txt.",
        )
    return ExtractedText(normalised(_paragraphs(_unrolled(cues))), "", encoding)


def _cues(characters: str) -> list[_Cue] | None:
    """Return the cues with text; None if there is no line of times."""
    cues: list[_Cue] = []
    lines = characters.split("\n")
    found = False
    place = 0
    while place < len(lines):
        times = _TIMES.fullmatch(lines[place]) if "-->" in lines[place] else None
        place += 1
        if times is None:  # a number, a name, or a block without speech
            continue
        found = True
        shown: list[str] = []
        while place < len(lines) and lines[place].strip() and "-->" not in lines[place]:
            shown.append(lines[place])
            place += 1
        # In a file without empty lines, the number of the next cue stands before its times.
        if place < len(lines) and "-->" in lines[place] and shown and shown[-1].strip().isdigit():
            shown.pop()
        if texts := [text for line in shown if (text := _spoken(line))]:
            cues.append(_Cue(_seconds(times.groups()[:4]), _seconds(times.groups()[4:]), texts))
    return cues if found else None


def _spoken(line: str) -> str:
    text = _TAG.sub("", _VOICE.sub(r"\1: ", line))
    return " ".join(html.unescape(text).split())


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _unrolled(cues: list[_Cue]) -> list[_Cue]:
    """Remove from each cue the lines that the one before ended with, if the captions are rolling ones."""
    rolling = sum(_repeats(before.lines, cue.lines) for before, cue in pairwise(cues))
    if rolling < 2 or rolling < _ROLLING_SHARE * (len(cues) - 1):
        return cues
    kept: list[_Cue] = []
    for place, cue in enumerate(cues):
        lines = cue.lines
        if place:
            shown = cues[place - 1].lines
            common = _common(shown, lines)
            if not common and kept and _grows(shown, lines):
                # The cue before is a beginning of this one, which replaces its last line.
                kept[-1].lines.pop()
            lines = lines[common:]
        kept.append(_Cue(cue.start, cue.end, list(lines)))
    return kept


def _repeats(before: list[str], lines: list[str]) -> bool:
    return _common(before, lines) > 0 or _grows(before, lines)


def _common(before: list[str], lines: list[str]) -> int:
    """Return how many lines at the end of one cue are those at the beginning of the next."""
    most = min(len(before), len(lines))
    return next((count for count in range(most, 0, -1) if before[-count:] == lines[:count]), 0)


def _grows(before: list[str], lines: list[str]) -> bool:
    return lines[0] != before[-1] and lines[0].startswith(before[-1] + " ")


def _paragraphs(cues: list[_Cue]) -> str:
    paragraphs: list[str] = []
    pieces: list[str] = []
    length, end = 0, 0.0
    for cue in cues:
        for place, line in enumerate(cue.lines):
            pause = place == 0 and cue.start - end > _PAUSE_SECONDS
            full = length > _PARAGRAPH_CHARACTERS and pieces and pieces[-1].endswith(_SENTENCE_ENDS)
            if pieces and (pause or full or _SPEAKER.match(line)):
                paragraphs.append(" ".join(pieces))
                pieces, length = [], 0
            pieces.append(line)
            length += len(line)
        end = cue.end
    return "\n\n".join([*paragraphs, " ".join(pieces)])
