"""What is known about the commands of LaTeX: which arguments are text, which signs they stand for, and accents.

What does not belong here: reading them (reader).
"""

from collections.abc import Mapping

# Arguments of commands: "m" is left out, "t" is text, "o" and "p" are
# optional ones in brackets and in parentheses that are left out. Commands that are not named
# here have no arguments that are left out: what stands in braces behind them is text.
# fmt: off
ARGUMENTS: Mapping[str, str] = {
    **dict.fromkeys((
        "label", "vspace", "hspace", "pagestyle", "thispagestyle", "pagenumbering", "cline", "bibliographystyle",
        "geometry", "hypersetup", "newcounter", "newlength", "graphicspath", "nocite", "hyphenation", "tikzset", "lstset",
        "usetikzlibrary", "usetheme", "usecolortheme", "pgfplotsset", "captionsetup", "sisetup", "index", "selectlanguage",
        "setmainfont", "setsansfont", "setmonofont", "setmainlanguage", "setdefaultlanguage", "stepcounter", "refstepcounter",
        "phantom", "vphantom", "hphantom", "glsadd", "usefonttheme", "tcbuselibrary",
        "theoremstyle", "enlargethispage", "fontfamily", "fontseries", "fontshape",
        "pgfmathsetmacro", "setbeamertemplate", "setbeamercolor", "arrayrulecolor",
        "setstretch", "linespread", "includeonly", "tag", "newtoks",
    ), "om"),
    **dict.fromkeys((
        "usepackage", "RequirePackage", "documentclass", "documentstyle", "LoadClass", "includegraphics", "includepdf",
        "rowcolor", "cellcolor", "columncolor", "PassOptionsToPackage", "newgeometry", "pagecolor", "color",
    ), "oom"),
    **dict.fromkeys((
        "setlength", "addtolength", "setcounter", "addtocounter", "markboth", "rule", "newglossaryentry", "settowidth",
        "DeclareUnicodeCharacter", "fontsize", "newfontfamily", "newcolumntype", "bookmarksetup",
        "lstdefinestyle", "counterwithin", "crefname",
        "titlespacing", "numberwithin", "definecolorset", "DeclareGraphicsExtensions",
    ), "omm"),
    **dict.fromkeys(("definecolor", "addcontentsline", "DeclareMathSymbol", "addtocontents", "titleformat"), "ommm"),
    **dict.fromkeys((
        "href", "textcolor", "colorbox", "foreignlanguage", "hypertarget", "hyperlink", "scalebox", "rotatebox", "raisebox",
        "adjustbox", "parbox", "sethlcolor", "otherlanguage", "textlang",
    ), "oomt"),
    "cmidrule": "opm", "fcolorbox": "ommt", "resizebox": "mmt", "makebox": "oot", "framebox": "oot", "texorpdfstring": "tm",
    "multirow": "omomt", "markright": "m", "hyperref": "ot", "acro": "mot", "DeclareAcronym": "mm",
    "shortstack": "ot", "sidenote": "ot",
}
# fmt: on
HEADINGS: Mapping[str, int] = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
    "frametitle": 2,
    "framesubtitle": 3,
}
# Commands that name another file, which is not read.
INCLUDES = frozenset(
    {"input", "include", "subfile", "subfileinclude", "import", "subimport", "bibliography", "addbibresource"}
    | {"lstinputlisting", "verbatiminput", "inputminted", "InputIfFileExists", "includestandalone", "loadglsentries"}
)
NOTES = frozenset({"footnote", "footnotetext", "thanks", "endnote", "marginpar", "marginnote", "tablefootnote", "note"})
FONTS = frozenset(
    {
        "textbf",
        "textit",
        "textsl",
        "textsc",
        "texttt",
        "textrm",
        "textsf",
        "textmd",
        "textup",
        "textnormal",
        "textlf",
        "emph",
    }
    | {
        "underline",
        "uline",
        "mbox",
        "text",
        "hbox",
        "lowercase",
        "uppercase",
        "MakeUppercase",
        "MakeLowercase",
        "ul",
        "st",
    }
    | {"fbox", "sout", "textsubscript", "textsuperscript", "so", "hl", "textlatin", "textgreek", "textcyrillic"}
)
"""Commands whose text continues the word in front of them."""
REFERENCES = frozenset(
    {"ref", "eqref", "pageref", "autoref", "cref", "Cref", "vref", "nameref", "fref", "subref", "labelcref", "cpageref"}
)
UNITS = frozenset({"SI", "qty", "si", "unit", "num", "ang", "SIrange", "qtyrange"})

ACCENTS: Mapping[str, str] = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307", '"': "\u0308",
    "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328", "b": "\u0331", "t": "\u0361",
    "textcommabelow": "\u0326", "G": "\u030f", "U": "\u030e",
}  # fmt: skip

GREEK: Mapping[str, str] = {
    name: sign
    for names, signs in (
        ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi", "αβγδεζηθικλμνξ"),
        ("omicron pi rho sigma tau upsilon phi chi psi omega", "οπρστυφχψω"),
        ("Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega", "ΓΔΘΛΞΠΣΥΦΨΩ"),
    )
    for name, sign in zip(names.split(), signs, strict=True)
}

SIGNS: Mapping[str, str] = {
    **GREEK,
    "ss": "ß", "SS": "ẞ", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å",
    "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ",
    "ldots": "…", "dots": "…", "textellipsis": "…", "textendash": "–", "textemdash": "—", "S": "§", "P": "¶", "textsection": "§",
    "copyright": "©", "textcopyright": "©", "textregistered": "®", "texttrademark": "™", "pounds": "£", "textsterling": "£",
    "euro": "€", "EUR": "€", "texteuro": "€", "yen": "¥", "textyen": "¥", "textcent": "¢", "textdegree": "°", "degree": "°",
    "textpm": "±", "texttimes": "×", "textmu": "µ", "textmicro": "µ", "textordfeminine": "ª", "textordmasculine": "º",
    "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’", "quotedblbase": "„",
    "quotesinglbase": "‚", "guillemotleft": "«", "guillemotright": "»", "flqq": "«", "frqq": "»", "glqq": "„", "grqq": "“",
    "glq": "‚", "grq": "‘", "guilsinglleft": "‹", "guilsinglright": "›", "textquotedbl": '"', "textquotesingle": "'",
    "dag": "†", "textdagger": "†", "ddag": "‡", "textdaggerdbl": "‡", "textbullet": "•", "textperiodcentered": "·",
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textunderscore": "_", "textbar": "|",
    "textless": "<", "textgreater": ">", "textdollar": "$", "textbraceleft": "{", "textbraceright": "}", "lbrace": "{",
    "rbrace": "}", "slash": "/", "textslash": "/", "textgreek": "", "TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e",
    "XeLaTeX": "XeLaTeX", "LuaLaTeX": "LuaLaTeX", "XeTeX": "XeTeX", "BibTeX": "BibTeX", "rightarrow": "→", "to": "→",
    "leftarrow": "←", "Rightarrow": "⇒", "leftrightarrow": "↔", "textrightarrow": "→", "textleftarrow": "←", "checkmark": "✓",
    "textonehalf": "½", "textonequarter": "¼", "textthreequarters": "¾", "textnumero": "№", "textperthousand": "‰",
    "quad": " ", "qquad": " ", "space": " ", "enspace": " ", "enskip": " ", "thinspace": " ", "nobreakspace": " ",
    "hfill": " ", "hfil": " ", "dotfill": " ", "hrulefill": " ", "nbsp": " ", "and": ", ", "textvisiblespace": " ",
    "times": "×", "pm": "±", "cdot": "·", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈",
    "infty": "∞", "circ": "°", "bullet": "•", "star": "★", "sum": "∑", "deg": "°", "ohm": "Ω", "percent": "%",
}  # fmt: skip
SYMBOLS: Mapping[str, str] = {
    "%": "%", "$": "$", "&": "&", "#": "#", "_": "_", "{": "{", "}": "}", ",": " ", ";": " ", ":": " ", " ": " ", "\n": " ",
    "\t": " ", ">": " ", "!": "", "/": "", "-": "", "@": "", "+": "", "<": "", "|": "", "*": "",
}  # fmt: skip
"""Commands that are a single sign."""

UNIT_SIGNS: Mapping[str, str] = {
    "metre": "m", "meter": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd",
    "celsius": "°C", "degreeCelsius": "°C", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W",
    "volt": "V", "litre": "l", "liter": "l", "hour": "h", "minute": "min", "day": "d", "tonne": "t", "bar": "bar", "bit": "bit",
    "byte": "B", "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "milli": "m", "micro": "µ", "nano": "n", "centi": "c",
    "deci": "d", "hecto": "h", "pico": "p", "per": "/", "squared": "²", "cubed": "³", "square": "²", "cubic": "³",
    "hectare": "ha", "electronvolt": "eV", "decibel": "dB", "lumen": "lm", "lux": "lx", "tothe": "^", "kilogram": "kg",
}  # fmt: skip
"""Units of the package siunitx."""

LIST_ENVIRONMENTS = frozenset(
    {"itemize", "enumerate", "description", "list", "compactitem", "compactenum", "compactdesc", "trivlist", "tasks"}
    | {"inparaenum", "inparaitem", "itemize*", "enumerate*", "description*", "dinglist"}
)
NUMBERED = frozenset({"enumerate", "compactenum", "inparaenum", "enumerate*"})
CODE_ENVIRONMENTS: Mapping[str, str] = {
    "verbatim": "", "verbatim*": "", "Verbatim": "o", "BVerbatim": "o", "LVerbatim": "o", "lstlisting": "o", "minted": "om",
    "alltt": "", "filecontents": "om", "filecontents*": "om", "Highlighting": "o", "semiverbatim": "", "pycode": "o",
}  # fmt: skip
MATH_ENVIRONMENTS = frozenset(
    name + star
    for name in (
        "equation",
        "align",
        "gather",
        "multline",
        "eqnarray",
        "flalign",
        "alignat",
        "dmath",
        "displaymath",
        "math",
    )
    for star in ("", "*")
) | {"subequations*", "xalignat", "dgroup"}
TABLE_ENVIRONMENTS: Mapping[str, str] = {
    "tabular": "om", "tabular*": "mom", "tabularx": "mom", "tabulary": "mom", "longtable": "om", "xltabular": "omm",
    "supertabular": "m", "array": "om", "tabu": "om", "longtabu": "om", "tblr": "om", "longtblr": "om", "NiceTabular": "om",
    "xtabular": "m", "deluxetable": "m",
}  # fmt: skip
OTHER_ENVIRONMENTS: Mapping[str, str] = {
    "minipage": "ooom", "multicols": "mo", "multicols*": "mo", "wrapfigure": "omom", "wraptable": "omom", "figure": "o",
    "figure*": "o", "table": "o", "table*": "o", "column": "om", "columns": "o", "adjustbox": "m", "spacing": "m",
    "subfigure": "om", "subtable": "om", "sidewaystable": "o", "sidewaysfigure": "o", "thebibliography": "m",
    "otherlanguage": "m",
    "otherlanguage*": "m", "threeparttable": "o", "tablenotes": "o", "CJK": "mm", "CJK*": "mm", "SCfigure": "oo", "picture": "",
    "adjustwidth": "mm", "textblock": "m", "lrbox": "m", "document": "", "abstract": "",
}  # fmt: skip
"""Which arguments of environments are left out; others lose only their optional arguments."""
WITHOUT_ARGUMENTS = frozenset(
    {
        "center",
        "centering",
        "flushleft",
        "flushright",
        "quote",
        "quotation",
        "verse",
        "small",
        "footnotesize",
        "scriptsize",
    }
    | {
        "large",
        "Large",
        "normalsize",
        "tiny",
        "huge",
        "Huge",
        "LARGE",
        "landscape",
        "titlepage",
        "sloppypar",
        "samepage",
    }
    | {
        "it",
        "em",
        "bf",
        "tt",
        "itshape",
        "bfseries",
        "scshape",
        "displayquote",
        "appendices",
        "singlespace",
        "onehalfspace",
    }
    | {
        "doublespace",
        "singlespacing",
        "onehalfspacing",
        "doublespacing",
        "raggedright",
        "raggedleft",
        "acknowledgements",
    }
    | {"acknowledgments", "keywords", "frontmatter", "mainmatter", "backmatter", "columns", "twocolumn", "onecolumn"}
)
DRAWINGS = frozenset({"tikzpicture", "pgfpicture", "axis", "picture", "pspicture", "circuitikz", "tikzcd", "forest"})
