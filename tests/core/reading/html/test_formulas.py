"""Formulas: each once, whichever forms of it are on the page."""

import pytest

from tests.support.html_pages import LONG, SENTENCE, html_text

MATHML = "<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>"
ANNOTATED = (
    "<math><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi></mrow><annotation "
    "encoding='application/x-tex'>E = mc^2</annotation></semantics></math>"
)
KATEX = (
    f"<span class='katex'><span class='katex-mathml'>{ANNOTATED}</span><span class='katex-html' "
    f"aria-hidden='true'><span class='base'>E<span>=</span>mc<span>2</span></span></span></span>"
)
MATHJAX_2 = (
    "<span class='MathJax_Preview'>E=mc2</span><span class='MathJax' id='MathJax-Element-1-Frame'>"
    "<nobr aria-hidden='true'><span>E=mc2</span></nobr></span><script type='math/tex' id='m'>E = "
    "mc^2</script>"
)
MATHJAX_2_SVG = (
    "<span class='MathJax_SVG'><svg><text>E=mc2</text></svg></span><script type='math/tex'>E = mc^2</script>"
)
MATHJAX_3 = (
    f"<mjx-container class='MathJax' jax='CHTML'><mjx-math aria-hidden='true'>"
    f"<mjx-mi>E</mjx-mi>=mc2</mjx-math><mjx-assistive-mml>{ANNOTATED}</mjx-assistive-mml>"
    f"</mjx-container>"
)
STYLED = "{\\displaystyle E = mc^2}"
WIKI = (
    f"<span class='mwe-math-element'><span style='display: none;'>{ANNOTATED.replace('E = mc^2', STYLED)}</span>"
    f"<img alt='{STYLED}' src='f.svg' aria-hidden='true'></span>"
)
FORMS = {
    "katex": KATEX, "mathjax 2": MATHJAX_2, "mathjax 2 svg": MATHJAX_2_SVG, "mathjax 3": MATHJAX_3, "wiki": WIKI,
    "annotated": ANNOTATED, "alternative": "<math alttext='E = mc^2'><mi>E</mi></math>",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("around", ["", LONG], ids=["short", "long"])
def test_a_formula_is_read_once(form: str, around: str):
    assert "Energy is $E = mc^2$ at rest." in html_text(f"{around}<p>Energy is {form} at rest.</p>{around}")


def test_a_displayed_formula_is_marked_as_such():
    text = html_text(f"<p>{SENTENCE}</p><script type='math/tex; mode=display'>\\frac{{1}}{{2}}</script>")
    assert text.endswith("\n$$\\frac{1}{2}$$")


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (MATHML, "E = mc^2"),
        ("<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "1/2"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac></math>", "(a+b)/c"),
        ("<math><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt></math>", "√(x+1)"),
        ("<math><mroot><mi>x</mi><mn>3</mn></mroot></math>", "root(x, 3)"),
        ("<math><msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup></math>", "a_i^2"),
        (
            "<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>0</mn></mtd>"
            "<mtd><mn>1</mn></mtd></mtr></mtable></math>",
            "1, 0; 0, 1",
        ),
        ("<math><mfenced><mi>a</mi><mi>b</mi></mfenced></math>", "(a, b)"),
        ("<script type='math/mml'><math><mi>q</mi></math></script>", "q"),
    ],
)
def test_mathml_is_written_in_plain_characters(source: str, written: str):
    """Its text alone would make 12 of a half, and mc2 of a square."""
    assert f"It is {written} here." in html_text(f"<p>It is {source} here.</p>")


@pytest.mark.parametrize(
    "source", ["<math></math>", "<math><mfrac></mfrac></math>", "<math><msup><mi>x</mi></msup></math>"]
)
def test_incomplete_mathml_is_read_as_far_as_it_goes(source: str):
    assert SENTENCE in html_text(f"<p>{SENTENCE} {source}</p>")


def test_the_text_of_a_page_in_an_element_named_like_a_formula_is_read():
    assert "Log 3 of the ferry" in html_text(
        f"<div class='MathJax'>{LONG}{MATHML}</div><script type='math/tex'>x</script>"
    )
