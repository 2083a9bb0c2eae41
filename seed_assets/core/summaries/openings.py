"""Sentences that need the one before them. What belongs here: how they begin. What does not: how much that counts against them
(summarizing).
"""

from collections.abc import Iterable
from itertools import islice

from seed_assets.core.text.words import WORD

# Pronouns, and words that join a sentence to the one before; "that" and "who" may open a sentence of their own.
_OPENINGS = """
it its they them their theirs he him his she her hers but and or so yet also however therefore thus hence then moreover
furthermore nevertheless nonetheless instead otherwise additionally similarly likewise consequently accordingly meanwhile still
besides again afterwards here there both neither
er sie es ihm ihnen ihr sein seine
dies dieser diese aber und oder doch jedoch daher deshalb deswegen dann außerdem dennoch trotzdem
ebenso auch dabei dadurch damit dazu dort hierbei hierzu
il elle ils elles leur mais et ou donc or cela ceci celui-ci celle-ci cependant toutefois pourtant ainsi aussi ensuite puis
él ella ellos ellas pero y o sin además también entonces luego así esto eso ello
egli ella essi esse ma e quindi però inoltre anche così questo ciò poi
ele ela eles elas mas e ou porém também então assim isso isto além
hij zij ze het maar en dus ook toch daarom echter bovendien toen dit dat
он она оно они но и а или поэтому однако также затем это
"""
# "This" and the like need the sentence before them only where no noun follows: "this paper" stands for itself.
_DEMONSTRATIVES = frozenset({"this", "that", "these", "those", "such"})
_VERBS = """
is isn't was wasn't are aren't were weren't be being has hasn't had have will would can cannot could may might must should does
doesn't did do means meant makes made allows allowed lets gives leads led causes requires includes happens ensures helps also
"""
_OPENS, _VERB = frozenset(_OPENINGS.split()), frozenset(_VERBS.split())


def needs_another(sentence: str) -> bool:
    """Whether a sentence begins like one that continues the sentence before ("It is also ...", "But at ...")."""
    return _continues(match.group().casefold() for match in islice(WORD.finditer(sentence), 2))


def _continues(words: Iterable[str]) -> bool:
    first, second = [*words, "", ""][:2]
    return first in _OPENS or (first in _DEMONSTRATIVES and second.replace("’", "'") in _VERB)
