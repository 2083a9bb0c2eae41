"""Commands that define something: macros, environments, and what a document says about itself.

What does not belong here: what a use of a macro stands for (definitions).
"""

from seed_assets.core.reading.latex.conditionals import set_by_let
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.walk import Walk

_MACROS = frozenset({"newcommand", "renewcommand", "providecommand", "DeclareRobustCommand"})
_COUNTS = frozenset("123456789")
_PLAIN_MACROS = frozenset({"def", "gdef", "edef", "xdef"})
_ABOUT = frozenset({"title", "subtitle", "author", "date", "institute", "affiliation", "publishers"})


def read_definition(walk: Walk, name: str, source: Source) -> bool:
    """Read a command that defines something; False if it does not."""
    if name in _MACROS:
        walk.definitions.read_command(source)
    elif name in _PLAIN_MACROS:
        walk.definitions.read_plain(source)
    elif name == "DeclareMathOperator":
        walk.definitions.read_operator(source)
    elif name == "newtheorem":
        environment = source.argument().strip()
        source.optional()
        walk.theorems[environment] = walk.text_of(source.argument())
        source.optional()
    elif name in ("newenvironment", "renewenvironment"):
        environment = source.argument().strip()
        count, default = source.optional(), source.optional()
        given = int(count) if count and count.strip() in _COUNTS else 0
        walk.environments[environment] = "o" * (default is not None) + "m" * (given - (default is not None))
        source.argument()
        source.argument()
    elif name == "let":
        switch = source.token()[1]
        source.next_is("=")
        set_by_let(walk, switch.strip(), source.token()[1].strip())
    elif name in _ABOUT:
        source.optional()
        walk.about[name] = walk.argument_text(source)
    else:
        return False
    return True
