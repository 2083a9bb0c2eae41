"""AsciiDoc: every word and every cell in its place, and no file is included."""

import pytest

from seed_assets.core.reading.extraction import extract

DOCUMENT = """= Größe der Flut
Jörg Kai <j@example.org>
v1.0, 2024-01-31
:toc:
:port: Brest
:long: first \\
second

Preamble with *bold*, _italic_, `max_retry`, {port} and {long}.
Names like my_long_name, a*b*c and C{pp}; \\*not bold*; mis##match##ed.

// a comment
////
block comment
////

== Ports & gates ==

include::/etc/hostname[]
ifdef::env-github[]
Under a condition.
endif::[]

See <<ports>>, <<gate,the gate>> and footnote:[A note with *bold* and https://z.org[a link].] xref:b.adoc#c[Other], \
https://x.org/a_b_c[the _site_], https://y.org/q_r_s.
H~2~O, 10^6^, "`quoted`", kbd:[Ctrl+C], menu:File[Save], ((index term))(((hidden, term))), +++raw *x*+++, stem:[x_1]. +
Next line.

.Levels
[cols="1,2,1",options="header"]
|===
|Port |Range |Depth

|Brest
|6 m
.2+|deep

2+|Merged
a|* item | `a\\|b` | with two
lines
|===

,===
x,"y, z"
1,2
,===

* one
+
[source,python]
----
x = [1] # *kept*
----
** deep
* [x] done

. first
. second
.. inner

Term:: its meaning
Other term::
its other meaning

[NOTE]
====
Careful here.
====

TIP: A short tip.

image::a.png[The gate, 200]

[quote, Ann Author, A Book]
____
Quoted words.
____

[stem]
++++
a^2 + b^2
++++

 literal  text
 more

```js
let y;
```

Old title
---------
The end.
"""
TEXT = """# Größe der Flut

Jörg Kai <j@example.org>

v1.0, 2024-01-31

Preamble with bold, italic, max_retry, Brest and first second.
Names like my_long_name, a*b*c and C++; *not bold*; mismatched.

## Ports & gates

Under a condition.

See ports, the gate and  Other, the site, https://y.org/q_r_s.
H₂O, 10⁶, “quoted”, Ctrl+C, File > Save, index term, raw *x*, $x_1$.
Next line.

Levels

| Port | Range | Depth |
| --- | --- | --- |
| Brest | 6 m | deep |
| Merged |  |  |
| * item | a\\|b | with two lines |

| x | y, z |
| --- | --- |
| 1 | 2 |

- one

```python
x = [1] # *kept*
```

  - deep
- ☒ done
  1. first
  2. second
    1. inner
Term: its meaning
Other term:
  its other meaning

NOTE: Careful here.

TIP: A short tip.

[Picture: The gate]

Quoted words.

— Ann Author, A Book

$$a^2 + b^2$$

```
 literal  text
 more
```

```js
let y;
```

## Old title

The end.

A note with bold and a link."""


def read(text: str) -> str:
    return extract(text.encode(), "asciidoc").text


def test_every_word_and_every_cell_of_a_document_is_read():
    result = extract(DOCUMENT.encode(), "asciidoc")
    assert result.text == TEXT
    assert (result.title, result.encoding) == ("Größe der Flut", "utf-8")
    assert result.warnings == ("Files that the document includes are not read with it: /etc/hostname.",)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("|===\n|a |b\n\n|c |d\n|e\n|f\n|===", ["| a | b |", "| c | d |", "| e | f |"]),
        ('[cols="2*"]\n|===\n3*|x |y\n|===', ["| x | x |", "| x | y |"]),
        ("|===\n|a |b |c\n.3+|r |1 |2\n|3 |4\n2+|wide\n|===",
         ["| a | b | c |", "| r | 1 | 2 |", "|  | 3 | 4 |", "|  | wide |  |"]),
        ("[%header,format=csv]\n|===\na,b\n1,2\n|===", ["| a | b |", "| 1 | 2 |"]),
        ("[cols=2*]\n|===\n| a\n|\n||d\n|===", ["| a |  |", "|  | d |"]),
        (":===\na:b\n1:2\n:===", ["| a | b |", "| 1 | 2 |"]),
    ],
)  # fmt: skip
def test_every_cell_stays_in_its_column(table: str, rows: list[str]):
    lines = read(table).split("\n")
    assert [lines[0], *lines[2:]] == rows


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("----\nnever closed", "never closed"),
        ("|===\n|never closed", "|never closed"),
        ("A *open and `open\n\nNext.", "A *open and `open\n\nNext."),
        ("[quote, Ann]\nA short one.\n\nNext.", "A short one.\n\n— Ann\n\nNext."),
        ("[source%linenums,ruby]\n----\nx = 1\n----", "```ruby\nx = 1\n```"),
        ("[NOTE#id.role]\n====\nCareful.\n\nSecond.\n====", "NOTE: Careful.\n\nSecond."),
        ("[WARNING]\nA paragraph.", "WARNING: A paragraph."),
        ("{unknown} and {counter:x}", "{unknown} and {counter:x}"),
        ("* a\n\n\n* b", "- a\n\n- b"),
        ("## Markdown heading\n\ntext", "## Markdown heading\n\ntext"),
        ("[[anchor]]\n.Title\n--\nopen block\n--", "Title\n\nopen block"),
    ],
)
def test_other_markup_is_read(source: str, text: str):
    assert read(source) == text


def test_attributes_that_double_their_text_are_bounded():
    defined = ":a: word \n" + "".join(f":{chr(98 + n)}: {{{chr(97 + n)}}}{{{chr(97 + n)}}}\n" for n in range(24))
    text = read("= Title\n" + defined + "\n" + "{y} " * 1_000)
    assert len(text) < 3_000_000
