"""LaTeX: every word and every cell in its place, and documents that are made to go on for ever."""

from itertools import pairwise

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract

DOCUMENT = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc} % a comment
\newcommand{\gate}[2][Lower]{#1 gate (#2)}
\def\tide{the tide}
\newtheorem{law}{Law}
\title{Gr\"o\ss e der \emph{Flut}\thanks{Paid by nobody.}}
\author{J\"org Kai \and \'Etienne}
\date{2024}
\begin{document}
\maketitle
\begin{abstract}
Abstract words.
\end{abstract}
\section[Short]{Ports \& gates}\label{sec:a}
See \ref{sec:a} and \cite[p.~5]{knuth84}; \gate[Upper]{a}, \gate{b} of \tide\footnote{A note with 5\,\% in it.}.
Name my\_long\_name, \texttt{max\_retry} and \verb|a_b{c}|. % comment
``Quoted'' --- dash~here. \unknown[opt]{kept text} \url{http://x.org/a%20b_c} \href{http://y.org}{the link}.

H\textsubscript{2}O, 10\textsuperscript{6}, \SI{5}{\kilo\metre\per\hour}, \c{c}a, \v{S}, \L{}\'od\'z.
\subsection*{Tables}
\begin{table}[h]
\caption{Levels}
\begin{tabular}{|l|c@{ }r|}
\hline
Port & Range & Depth \\ \hline
Brest & 6\,m & \multirow{2}{*}{10} \\[2pt]
\multicolumn{2}{c}{Merged} & \\ \cmidrule(lr){1-2}
R \& D & $a|b$ & 7
\end{tabular}
\end{table}
\begin{longtable}{ll}
\caption{Long}\\ Name & cm\\ \endfirsthead Name & cm (continued)\\ \endhead
\hline Sum & 9\\ \endlastfoot
a & 4\\ b & 5\\
\end{longtable}
Inline $a_1 + \frac{b}{c}$ and \(x < y\) and
\begin{equation}\label{eq:e}
E = mc^2 % energy
\end{equation}
\begin{itemize}
\item one
\item[x)] two

  more of two
\begin{enumerate}\item deep\item deeper\end{enumerate}
\end{itemize}
\begin{description}\item[Term] its meaning\end{description}
\begin{lstlisting}[language=Python,caption={A listing}]
y_1 = {2} % kept
\end{lstlisting}
\begin{law}[Ebb] It falls. \end{law}
\begin{tcolorbox}[title=Box]Inside.\end{tcolorbox}
\iffalse not shown \fi
\begin{comment}
nor this
\end{comment}
\begin{figure}\includegraphics[width=5cm]{gate.png}\caption{The gate.}\end{figure}
\begin{thebibliography}{9}
\bibitem{knuth84} Donald Knuth, \emph{The TeXbook}.
\end{thebibliography}
\end{document}
behind the end
"""

TEXT = """# Größe der Flut

Jörg Kai, Étienne

2024

## Abstract

Abstract words.

## Ports & gates

See [sec:a] and [knuth84, p. 5]; Upper gate (a), Lower gate (b) of the tide. Name my_long_name, max_retry and a_b{c}. \
“Quoted” — dash here. kept text http://x.org/a%20b_c the link.

H₂O, 10⁶, 5 km/h, ça, Š, Łódź.

### Tables

Levels

| Port | Range | Depth |
| --- | --- | --- |
| Brest | 6 m | 10 |
| Merged |  |  |
| R & D | $a\\|b$ | 7 |

Long

| Name | cm |
| --- | --- |
| a | 4 |
| b | 5 |
| Sum | 9 |

Inline $a_1 + \\frac{b}{c}$ and $x < y$ and

$$E = mc^2$$

- one
x) two
  more of two
  1. deep
  2. deeper

Term: its meaning

A listing

```
y_1 = {2} % kept
```

Law (Ebb).

It falls.

Box

Inside.

The gate.

## References

[knuth84] Donald Knuth, The TeXbook.

Paid by nobody.

A note with 5 % in it."""


def read(body: str, preamble: str = "") -> str:
    return extract(f"{preamble}\\begin{{document}}{body}\\end{{document}}".encode(), "latex").text


def test_every_word_and_every_cell_of_a_document_is_read():
    result = extract(DOCUMENT.encode(), "latex")
    assert (result.text, result.title, result.encoding, result.warnings) == (TEXT, "Größe der Flut", "utf-8", ())


def test_a_piece_without_a_preamble_is_read():
    result = extract(b"\\section{Ebb}\nIt falls.", "latex")
    assert (result.text, result.title) == ("## Ebb\n\nIt falls.", "Ebb")


def test_slides_are_read():
    body = (
        r"\begin{frame}[t]{First}{Below}\only<1>{once} \alert<2>{alerted}\begin{itemize}\item<1-> one\end{itemize}\end{frame}"
        r"\begin{frame}\frametitle<2>{Second}\begin{block}{Block}Inside.\end{block}\end{frame}"
    )
    assert read(body) == "## First\n\n### Below\n\nonce alerted\n\n- one\n\n## Second\n\nBlock\n\nInside."


@pytest.mark.parametrize(
    ("name", "codec"), [("latin1", "iso-8859-1"), ("ansinew", "cp1252"), ("latin2", "iso-8859-2"), ("cp1251", "cp1251")]
)
def test_the_encoding_that_the_document_names_is_used(name: str, codec: str):
    word = {"latin2": "Łódź", "cp1251": "Прилив"}.get(name, "Größe")
    data = f"\\usepackage[{name}]{{inputenc}}\\begin{{document}}{word}\\end{{document}}".encode(codec)
    assert extract(data, "latex").text == word


def test_german_quotation_marks_and_umlauts_are_read_where_german_is_loaded():
    body = 'Gr"o"se und "`Flut"\', Schiff"-fahrt 5"'
    assert read(body, "\\usepackage[ngerman]{babel}") == 'Größe und „Flut“, Schifffahrt 5"'
    assert read('say "on"') == 'say "on"'


def test_tables_in_boxes_and_rules_between_paragraphs_are_read():
    body = (
        r"\begin{center}{\huge\color{blue} Large}\\[3mm] small\end{center}\hrule height 1pt\vspace{2mm}"
        r"\resizebox{\textwidth}{!}{\begin{tabular}{ll}a & b\\ c & d\end{tabular}}"
        r"\parbox{5cm}{One.\par Two \textcolor{red}{three}.}"
        r"\begin{table}\begin{minipage}{4cm}\begin{tabular}{l}x\\ y\end{tabular}\end{minipage}\hfill\caption{Last}\end{table}"
    )
    assert read(body) == (
        "Large\nsmall\n\n| a | b |\n| --- | --- |\n| c | d |\n\nOne.\n\nTwo three.\n\n| x |\n| --- |\n| y |\n\nLast"
    )


def test_what_is_not_read_is_named():
    body = r"\input{/etc/hostname}\include{chapter}\bibliography{refs,more}\begin{tikzpicture}\node{x};\end{tikzpicture}Text."
    result = extract(f"\\begin{{document}}{body}\\end{{document}}".encode(), "latex")
    assert result.text == "Text."
    assert result.warnings == (
        "Files that the document includes are not read with it: /etc/hostname, chapter, refs, more.",
        "1 drawing is not read.",
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Open { brace and $unclosed.\n\nNext $a$.", "Open brace and $unclosed.\n\nNext $a$."),
        (r"\begin{itemize}\item one", "- one"),
        (r"a \textbf{open", "a open"),
        (r"a } b \end{itemize} c", "a b c"),
        (r"\begin{tabular}{ll}a & b", "| a | b |"),
        (r"\section{}Text \verb|open" + "\nline", "Text |open line"),
        (r"5 \[ x \] \( y", "5\n\n$$x$$\n\ny"),
        ("a\\", "a"),
        (r"\unknown{one}{two}[three] \other[x]{four}{}", "one two[three] four"),
    ],
)
def test_broken_markup_loses_no_text(body: str, text: str):
    assert extract(f"\\begin{{document}}{body}".encode(), "latex").text == text


@pytest.mark.slow
def test_macros_that_use_themselves_end_and_are_named():
    defined = rb"\def\loop{\loop x\loop}\newcommand{\a}[1]{#1\b{#1}}\newcommand{\b}[1]{\a{#1}}"
    result = extract(defined + rb"Before \loop\a{y} after.", "latex")
    assert result.text.startswith("Before")
    assert result.text.endswith("after.")
    assert len(result.text) < 3_000_000
    (warning,) = result.warnings
    assert warning.startswith("Macros that use themselves or become too long are not replaced:")


@pytest.mark.slow
def test_macros_that_double_their_text_are_bounded():
    """Thirty of them make a thousand million characters."""
    names = [chr(ord("a") + number % 26) * (1 + number // 26) + "x" for number in range(30)]
    defined = "\\newcommand{\\ax}{word }" + "".join(
        f"\\newcommand{{\\{name}}}{{\\{before}\\{before}}}" for before, name in pairwise(names)
    )
    result = extract(f"{defined}Before \\{names[-1]} after.".encode(), "latex")
    assert result.text.endswith("after.")
    assert len(result.text) < 5_000_000
    assert "become too long" in result.warnings[0]


@pytest.mark.parametrize(
    ("preamble", "body", "text"),
    [
        ("\\newif\\ifdraft\\draftfalse", r"\ifdraft Draft.\else Final.\fi", "Final."),
        ("\\newif\\ifdraft\\drafttrue", r"\ifdraft Draft.\else Final.\fi", "Draft."),
        ("\\newif\\ifdraft", r"\ifdraft{Draft.}\fi Final.", "Final."),
        ("", r"Then \iftrue yes\else no\fi. \iffalse no\else yes\fi.", "Then yes. yes."),
        ("", r"\iffalse a \iftrue b\else c\fi d\else e\fi f", "ef"),
        ("", r"\iftrue a\iffalse b\else c\fi\else d\fi e", "ace"),
        (
            "",
            r"\ifnum1<2 less\else more\fi, \ifnum 3=2 less\else more\fi, \ifodd 3 odd\else even\fi",
            "less, more, odd",
        ),
        ("\\let\\ifprint\\iffalse", r"\ifprint paper\else screen\fi", "screen"),
        ("\\newboolean{long}\\setboolean{long}{true}", r"\ifthenelse{\boolean{long}}{Long.}{Short.}", "Long."),
        ("\\newtoggle{long}", r"\iftoggle{long}{Long.}{Short.}\toggletrue{long}\iftoggle{long}{A}{B}", "Short.A"),
        ("\\newif\\ifa\\newcommand{\\x}{\\ifa one\\else two\\fi}", r"\x, \atrue\x", "two, one"),
        ("", r"\begin{itemize}\iffalse\item a\else\item b\fi\item c\end{itemize}", "- b\n- c"),
        ("", "\\iftrue a % \\else\nb\\else c\\fi", "a b"),
        ("", r"\ifx\a\b yes\else no\fi \ifcsname x\endcsname one\else two\fi", "yes one"),
        ("", r"\ifx\a\b\else no\fi", "no"),
        ("", r"$a \iff b$ \iftrue c\fi", r"$a \iff b$ c"),
    ],
)
def test_the_branch_of_a_condition_that_holds_is_read(preamble: str, body: str, text: str):
    """Guards against a draft and the final text that are read together, as one word."""
    assert read(body, preamble) == text


def test_conditions_that_are_not_decided_are_counted():
    result = extract(rb"\begin{document}\ifx\a\b yes\else no\fi\ifx\a\b maybe\fi\end{document}", "latex")
    assert result.warnings == ("1 condition depends on more than the document says; the first branch is read.",)


@pytest.mark.parametrize("body", [r"\iftrue ", r"\iffalse ", r"\fi ", r"\else ", r"\ifx\a\b ", r"\iffalse\iffalse\fi "])
@pytest.mark.slow
def test_conditions_without_an_end_lose_no_text(body: str):
    assert read(f"Before {body * 20_000} after.").startswith("Before")
    assert read(f"Before {body} after.").split() in (["Before", "after."], ["Before"])


def test_arguments_of_environments_and_commands_stand_apart():
    assert read(r"\begin{myenv}[opt]{arg}env text\end{myenv}") == "arg\n\nenv text"
    assert read(r"\begin{own}{arg}{\bf bold} text\end{own}", r"\newenvironment{own}[1]{}{}") == "arg\n\nbold text"
    assert read(r"\begin{center}{\bf Bold} text\end{center}") == "Bold text"
    assert read(r"\foo{one}\foo{two}, \textbf{in}\emph{side}") == "one two, inside"


@pytest.mark.slow
def test_elements_that_are_nested_without_end_are_named():
    for opened in (b"\\footnote{", b"\\begin{itemize}\\item ", b"\\parbox{1cm}{", b"\\begin{tabular}{l}"):
        with pytest.raises(DocumentError, match="nested too deeply"):
            extract(opened * 100_000, "latex")
    # As deep as that depends on no limit of the interpreter.
    assert read("\\parbox{1cm}{" * 70 + "deep").strip() == "deep"


def test_a_binary_file_is_named():
    with pytest.raises(DocumentError, match="PDF"):
        extract(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\x00", "latex")
