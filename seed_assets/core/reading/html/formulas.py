"""Formulas of a page, each of them once, although KaTeX, MathJax and wikis write them in two or three forms.

A formula is its TeX between dollar signs where the page has it, and otherwise MathML as plain characters: a/b, x^2, √(x). What
does not belong here: raised and lowered text outside of formulas (superscripts).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.facts import PageFacts

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Names that KaTeX, MathJax 2, MathJax 3 and MediaWiki give to the element around the forms of one formula.
_WRAPPERS = frozenset(
    ["katex", "katex-display", "MathJax", "MathJax_Display", "MathJax_SVG", "MathJax_CHTML", "mwe-math-element"]
)
# MathJax 2 draws a formula into elements with these names, and keeps its source in the script that follows them.
# fmt: off
_DRAWN = frozenset({
    "MathJax_Preview", "MathJax", "MathJax_Display", "MathJax_SVG", "MathJax_SVG_Display", "MathJax_CHTML",
    "MathJax_PHTML", "mjx-chtml",
})
# fmt: on
# Larger elements are not one formula; their MathML is read without structure. The numbers were chosen by judgement.
_MOST_ELEMENTS = 2_000
_MOST_CHARACTERS = 4_000
_SIMPLE = 1


def formula_in(element: "HtmlElement", facts: PageFacts) -> str | None:
    """Return the formula if the element is one, or the wrapper of one; otherwise None."""
    if element.tag == "math":
        return _formula(element)
    classes = element.get("class")
    if element.tag != "mjx-container" and (not classes or _WRAPPERS.isdisjoint(classes.split())):
        return None
    about = facts.about(element)
    if about.maths != 1 or about.paragraphs or about.headings or about.tables or about.chars > _MOST_CHARACTERS:
        return None
    found = next(element.iterdescendants("math"), None)
    return None if found is None else _formula(found)


def formula_of_script(element: "HtmlElement") -> str | None:
    """Return the formula that a script element holds for MathJax 2; None for a script that is run."""
    kind = (element.get("type") or "").lower().replace(" ", "")
    if kind.startswith("math/tex"):
        return _tex(element.text or "", display="mode=display" in kind)
    if kind.startswith("math/mml") and (found := _mathml(element.text or "")) is not None:
        return _formula(found)
    return None


def is_drawing(element: "HtmlElement", facts: PageFacts) -> bool:
    """Whether MathJax 2 drew the element from the formula in the script that follows it."""
    classes = element.get("class")
    if not classes or _DRAWN.isdisjoint(classes.split()) or facts.about(element).paragraphs:
        return False
    if facts.about(element).chars > _MOST_CHARACTERS:
        return False
    following = element.getnext()
    for _ in range(3):  # a preview, the drawing and the script
        if following is None:
            return False
        if following.tag == "script":
            return (following.get("type") or "").lower().startswith("math/")
        following = following.getnext()
    return False


def _formula(element: "HtmlElement") -> str:
    display = element.get("display") == "block"
    for annotation in element.iterdescendants("annotation"):
        if "tex" in (annotation.get("encoding") or "").lower() and (annotation.text or "").strip():
            return _tex(annotation.text or "", display=display)
    if (written := element.get("alttext")) and written.strip():
        return _tex(written, display=display)
    return _plain(element)


def _tex(source: str, *, display: bool) -> str:
    source = " ".join(source.split())
    # MediaWiki puts every formula into a group that only sets its style.
    if source.startswith("{\\displaystyle") and source.endswith("}"):
        source = source[len("{\\displaystyle") : -1].strip()
    sign = "$$" if display else "$"
    return f"{sign}{source}{sign}" if source else ""


def _mathml(source: str) -> "HtmlElement | None":
    from lxml import html

    try:
        fragment = html.fragment_fromstring(source, create_parent=True)
    except (ValueError, html.etree.ParserError):
        return None
    return next(fragment.iterdescendants("math"), None)


def _plain(element: "HtmlElement") -> str:
    """Return MathML as plain characters, from the innermost elements outwards."""
    import lxml.etree as etree

    if sum(1 for _ in zip(element.iterdescendants(), range(_MOST_ELEMENTS), strict=False)) == _MOST_ELEMENTS:
        return " ".join(" ".join(element.itertext()).split())
    parts: list[list[str]] = [[]]
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, each in walk:
        if event == "start":
            parts.append([])
            if each.tag in ("annotation", "annotation-xml"):
                walk.skip_subtree()
            continue
        within = parts.pop()
        if each.tag not in ("annotation", "annotation-xml"):
            parts[-1].append(_written(each, within))
    return " ".join("".join(parts[0]).split())


def _written(element: "HtmlElement", parts: list[str]) -> str:
    tag = element.tag
    if tag in ("mi", "mn", "mo", "mtext", "ms"):
        text = " ".join((element.text or "").split())
        return f" {text} " if tag == "mtext" or (tag == "mo" and text in _SPACED) else text
    if tag == "mspace":
        return " "
    if tag == "msqrt":
        return f"√{_grouped(''.join(parts), always=True)}"
    if (form := _FORMS.get(tag)) and len(parts) >= form.count("{"):
        return form.format(*map(_grouped, parts))
    if tag == "mtr":
        return f"{', '.join(parts)}; "
    if tag == "mtable":
        return "".join(parts).removesuffix("; ")
    if tag == "mfenced":
        opening, closing = element.get("open", "("), element.get("close", ")")
        return f"{opening}{(element.get('separators', ',')[:1] + ' ').join(parts)}{closing}"
    return "".join(parts)


def _grouped(text: str, *, always: bool = False) -> str:
    text = text.strip()
    plain = len(text) == _SIMPLE or text.isalnum() or (text.startswith("(") and text.endswith(")"))
    return text if plain and not (always and not text.startswith("(")) else f"({text})"


_SPACED = frozenset("=≠<>≤≥≈≡→⇒⇔∈∉⊂⊆±∓·×÷∼≅∝")
_FORMS: Mapping[str, str] = {
    "mfrac": "{}/{}",
    "msup": "{}^{}",
    "msub": "{}_{}",
    "msubsup": "{}_{}^{}",
    "munder": "{}_{} ",
    "mover": "{}^{} ",
    "munderover": "{}_{}^{} ",
    "mroot": "root({0}, {1})",
}
