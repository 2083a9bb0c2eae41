"""Org: every word and every cell in its place, and no file is included."""

import pytest

from seed_assets.core.reading.extraction import extract

DOCUMENT = r"""#+TITLE: Größe der Flut
#+AUTHOR: Jörg Kai
#+OPTIONS: toc:nil

Preamble *bold* /italic/ _under_ +struck+ =max_retry= ~a*b*~ my_long_name and a*b*c.
# a comment
* TODO [#A] Ports & gates :tag1:tag2:
  SCHEDULED: <2024-01-01 Mon>
  :PROPERTIES:
  :ID: x
  :END:
See [[https://x.org][the /site/]], [[https://y.org/a_b_c]], [[file:gate.png]] and a note[fn:1], another[fn:: Inline note.].
Formulas $a_1 * b$, \(x < y\); \alpha \rarr x^{2} H_{2}O 10^6, <<target>>here, <2024-01-31 Wed>.
#+INCLUDE: "/etc/hostname" src
#+CAPTION: Levels
| Port  | Range  |   |
|-------+--------+---|
| <l>   |        |   |
| Brest | =6= m  | x |
|       | a\vert{}b | y |
#+TBLFM: $2=1
- one
  - deep
  - [X] done
- [ ] open
1. first
- Term :: its meaning
#+BEGIN_SRC python
  x = 1 # *kept*
    y
#+END_SRC
#+BEGIN_EXAMPLE
,* protected
#+END_EXAMPLE
#+BEGIN_QUOTE
Quoted *words*.
#+END_QUOTE
#+BEGIN_COMMENT
hidden
#+END_COMMENT
: fixed  width
:NOTES:
In a drawer.
:END:
** COMMENT hidden too
hidden text
*** hidden deep
** DONE deep
\begin{equation}
E=mc^2
\end{equation}
[fn:1] A note
in two lines.
"""
TEXT = r"""# Größe der Flut

Jörg Kai

Preamble bold italic under struck max_retry a*b* my_long_name and a*b*c.

# TODO Ports & gates (tag1, tag2)

SCHEDULED: 2024-01-01 Mon

See the site, https://y.org/a_b_c,  and a note, another.
Formulas $a_1 * b$, $x < y$; α → x² H₂O 10⁶, here, 2024-01-31 Wed.

Levels

| Port | Range |  |
| --- | --- | --- |
| Brest | 6 m | x |
|  | a\|b | y |

- one
  - deep
  - ☒ done
- ☐ open
1. first
- Term: its meaning

```python
x = 1 # *kept*
  y
```

```
* protected
```

Quoted words.

```
fixed  width
```

In a drawer.

## DONE deep

$$E=mc^2$$

Inline note.

A note
in two lines."""


def read(text: str) -> str:
    return extract(text.encode(), "org").text


def test_every_word_and_every_cell_of_a_document_is_read():
    result = extract(DOCUMENT.encode(), "org")
    assert result.text == TEXT
    assert (result.title, result.encoding) == ("Größe der Flut", "utf-8")
    assert result.warnings == ("Files that the document includes are not read with it: /etc/hostname.",)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("#+BEGIN_SRC\nnever closed", "never closed"),
        (":PROPERTIES:\n:ID: x\n* Heading\ntext\n:END:", ":PROPERTIES:\n:ID: x\n\n# Heading\n\ntext"),
        ("A *open and =open\n\nNext.", "A *open and =open\n\nNext."),
        ("*** Deep\n\ntext", "### Deep\n\ntext"),
        ("*no heading", "*no heading"),
        ("||b|\n|c||", "|  | b |\n| --- | --- |\n| c |  |"),
        ("text\n#hashtag", "text\n#hashtag"),
        (r"\begin{a}" + "\nx", r"\begin{a}" + "\nx"),
        ("a [[x][b]] c [cite:@key] [1]", "a b c [cite:@key] [1]"),
        ("(/italic/), \"*bold*\" 1/2/3 and a/b/c", "(italic), \"bold\" 1/2/3 and a/b/c"),
    ],
)  # fmt: skip
def test_other_markup_is_read(source: str, text: str):
    assert read(source) == text


def test_a_file_without_a_title_is_called_by_its_first_heading():
    assert extract(b"Text.\n* The *ebb*\n", "org").title == "The ebb"
