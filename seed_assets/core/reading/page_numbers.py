"""Headers and footers that only say which page they are on. What does not belong here: lines of plain texts (text.paged_text)."""

import re

# The words in front of and between numbers of pages, as in "Page 3 of 9".
_WORDS = re.compile(r"[\W\d_]*(?:(?:page|seite|página|pagina|of|von|sur|de|di|p)\b[\W\d_]*)*", re.IGNORECASE)
# A longer block says more than that; chosen by judgement.
_LONGEST = 60


def only_numbers_page(block: str) -> bool:
    """Whether a header or footer has no other words than those around the number of a page."""
    return len(block) <= _LONGEST and _WORDS.fullmatch(block) is not None
