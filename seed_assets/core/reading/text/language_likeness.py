"""How much a decoded text is like a text in one language. What belongs here: where letters and signs can stand, and which
scripts a word can have. What does not: alphabets (alphabets), and what follows for an encoding (encoding_detection).
"""

import unicodedata

from seed_assets.core.reading.text.alphabets import letter_fit

# So many characters are looked at. The weights below were chosen with those of encoding_detection.
_WEIGHED_CHARACTERS = 4_000
# Signs that encodings have and texts do not: the sign for any currency, and accents without a letter.
_UNUSED_SIGNS = "¤¨¸"
# Signs that can follow a word without a space, and all that are usual in texts without any letter beyond ASCII.
_AFTER_WORDS = "…™®©°²³†‡"
_USUAL_SIGNS = frozenset(_AFTER_WORDS + "–—‘’“”‚„•·±×÷½¼¾£€¥¢§¶µ«»‹›¡¿¹ªº\xa0")


def language_likeness(text: str, codec: str) -> float:
    """Return a factor of at most 1 for how much a decoded text is like a text in one language."""
    text = text[:_WEIGHED_CHARACTERS]
    foreign, few = letter_fit(text, codec)
    letters = max(0.05, 1 - 0.7 * foreign - (0.35 if foreign > 0.01 else 0.0)) * (0.65 if few else 1.0)
    return letters * (1 - min(0.9, _misplaced(text))) * (1 - 0.9 * _mixed(text)) * (0.3 if _is_sprinkled(text) else 1.0)


def has_only_signs(text: str) -> bool:
    """Whether all characters beyond ASCII are signs that are usual in a text without other letters."""
    return all(character < "\x80" or character in _USUAL_SIGNS for character in text[:_WEIGHED_CHARACTERS])


def _misplaced(text: str) -> float:
    """Return how many of the characters beyond ASCII stand where no language has them: signs within words, and the like."""
    count, wrong = 0, 0.0
    for place, character in enumerate(text):
        if character < "\x80":
            continue
        count += 1
        before = text[place - 1 : place]
        neighbours = before.isalpha() + text[place + 1 : place + 2].isalpha()
        category = unicodedata.category(character)
        if category in ("Cc", "Cn", "Co"):
            wrong += 2
        elif character in _UNUSED_SIGNS:
            wrong += 1
        elif category == "Lu":
            wrong += before.islower()
        elif category[0] == "L":
            wrong += character in "ªºµ" and before.isalpha()
        elif character in "–—":
            wrong += (0, 0.2, 0.7)[neighbours]
        elif (
            character == "·"
            or (character == "°" and not before.isalpha())
            or (character in _AFTER_WORDS and neighbours == 1 and before.isalpha())
        ):
            continue
        elif category[0] in "SN" or category == "Po":
            wrong += (0, 1.2, 2)[neighbours]
        elif category[0] == "P" and character not in "’‘‐‑":
            wrong += 1.5 * (neighbours == 2)
        elif character == "\xa0":
            wrong += 0.2 * (neighbours == 2)
    return wrong / count if count else 0.0


def _mixed(text: str) -> float:
    """Return the share of letters beyond ASCII that stand next to a letter of another script."""
    count = mixed = 0
    for place, character in enumerate(text):
        if character < "\x80" or not (own := _script(character)):
            continue
        count += 1
        beside = map(_script, text[max(0, place - 1) : place] + text[place + 1 : place + 2])
        mixed += any(other and other != own for other in beside) if own != "other" else 0
    return mixed / count if count else 0.0


def _is_sprinkled(text: str) -> bool:
    """Whether the letters beyond ASCII are of another script than the words around them, as in a Latin text read wrongly."""
    beyond = [character for character in text if character >= "\x80" and character.isalpha()]
    if not beyond or 5 * len(beyond) > sum(map(str.isalpha, text)):
        return False
    return 2 * sum(_script(character) != "Latin" for character in beyond) > len(beyond)


def _script(character: str) -> str:
    """Return the script of a letter, and "" for other characters; the blocks are those of Unicode."""
    if not character.isalpha():
        return ""
    for end, script in (("\u0250", "Latin"), ("\u0370", ""), ("\u0400", "Greek"), ("\u0530", "Cyrillic")):
        if character < end:
            return script
    for end, script in (("\u0600", "Hebrew"), ("\u0700", "Arabic"), ("\u1e00", "other"), ("\u1f00", "Latin")):
        if character < end:
            return script
    return "other"
