"""Subtitles: what is spoken, once."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract


def text_of(content: str, codec: str = "utf-8") -> str:
    return extract(content.encode(codec), "subtitles").text


SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\n<i>Die Flut</i> kommt,\n{\\an8}Jörg &amp; Änne.\n\n"
    "2\n00:00:02,600 --> 00:00:04,000 X1:100 X2:200\nDas Tor ist 3 < 4 m hoch.\n\n"
    "3\n00:00:20,000 --> 00:00:21,000\n1904\n\n"
    "4\n00:00:21,000 --> 00:00:22,000\n- Wirklich?\n- Ja.\n"
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_numbers_times_and_marks_are_removed(line_end: str, codec: str):
    assert text_of(SRT.replace("\n", line_end), codec) == (
        "Die Flut kommt, Jörg & Änne. Das Tor ist 3 < 4 m hoch.\n\n1904\n\n- Wirklich?\n\n- Ja."
    )


def test_subtitles_without_empty_lines_keep_no_numbers():
    assert text_of(SRT.replace("\n\n", "\n")).startswith("Die Flut kommt, Jörg & Änne. Das Tor")
    assert "\n2" not in text_of(SRT.replace("\n\n", "\n"))


def test_blocks_without_speech_are_left_out_and_voices_named():
    text = text_of(
        "WEBVTT - A title\nKind: captions\n\nNOTE\nnot spoken\n\nSTYLE\n::cue { color: red }\n\nintro\n"
        "00:01.000 --> 00:02.000 line:0\n<v.loud Ann>The gate is <c.red>open</c>.</v>\n\n"
        "00:02.000 --> 00:03.000\n<v Bob>Since <00:02.500>noon.\n"
    )
    assert text == "Ann: The gate is open.\n\nBob: Since noon."


def test_lines_of_rolling_captions_are_kept_once():
    lines = ["the tide came in", "and the gate was open", "no one was there", "no one at all"]
    cues = ["WEBVTT\n"]
    for place, line in enumerate(lines):
        before = lines[place - 1] if place else " "
        cues += [
            f"00:00:0{place}.000 --> 00:00:0{place}.990\n{before}\n{line.replace(' ', '<00:00:01.000><c> ')}</c>",
            f"00:00:0{place}.990 --> 00:00:0{place + 1}.000\n{line}\n ",
        ]
    assert text_of("\n\n".join(cues)) == " ".join(lines)


def test_captions_that_grow_are_kept_once():
    lines = ["The", "The tide", "The tide came", "It", "It went"]
    cues = [f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}" for n, line in enumerate(lines)]
    assert text_of("\n\n".join(cues)) == "The tide came It went"


def test_a_word_that_is_said_twice_is_kept_twice():
    said = ["No.", "No.", "It is open.", "Since when?", "Since noon."]
    cues = [f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}" for n, line in enumerate(said)]
    assert text_of("\n\n".join(cues)).startswith("No. No.")


def test_a_long_speech_has_paragraphs():
    cues = [
        f"00:{n // 60:02}:{n % 60:02}.000 --> 00:{n // 60:02}:{n % 60:02}.900\nSentence {n} ends." for n in range(200)
    ]
    paragraphs = text_of("WEBVTT\n\n" + "\n\n".join(cues)).split("\n\n")
    assert len(paragraphs) > 3
    assert all(paragraph.endswith("ends.") for paragraph in paragraphs)


@pytest.mark.parametrize("content", ["Only words.", "WEBVTT\n\nNOTE nothing", "1\n00:00:01 -> 00:00:02\nx"])
def test_a_file_without_subtitles_is_named(content: str):
    with pytest.raises(DocumentError, match="has no subtitles"):
        text_of(content)
