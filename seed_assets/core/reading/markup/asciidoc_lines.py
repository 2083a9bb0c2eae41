"""How lines of AsciiDoc are recognized. What does not belong here: what becomes of them (asciidoc)."""

import re

HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)$")
ATTRIBUTE = re.compile(r":(!?)([A-Za-z0-9_][\w-]*)(!?):(?:[ \t]+(.*))?$")
DIRECTIVE = re.compile(r"(?:ifdef|ifndef|ifeval|endif)::(?:[^\[\]\n]*)\[(.*)\][ \t]*$")
INCLUDE = re.compile(r"include::([^\[\]\n]+)\[.*\][ \t]*$")
BLOCK_MACRO = re.compile(r"(image|video|audio|toc)::([^\[\]\n]*)\[(.*)\][ \t]*$")
DELIMITER = re.compile(r"(?:\^{4,}|-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|`{3,}\S*|~{4,}|[|,:!]={3,})[ \t]*$")
BLOCK_ATTRIBUTES = re.compile(r"\[(?!\[)([^\]\n]*)\][ \t]*$")
ANCHOR = re.compile(r"\[\[[^\]\n]*\]\][ \t]*$")
TITLE = re.compile(r"\.(?![. \t])(\S.*)$")
RULE = re.compile(r"(?:'{3,}|<{3,}|-[ \t]?-[ \t]?-|\*[ \t]?\*[ \t]?\*)[ \t]*$")
ITEM = re.compile(r"[ \t]*(\*{1,6}|-|\.{1,6}|\d{1,9}\.|[a-zA-Z]\.|<(?:\d+|\.)>)[ \t]+(?:\[([ xX*])\][ \t]+)?(\S.*)$")
TERM = re.compile(r"(?<=[^\s:;])(?::{2,4}|;;)(?:[ \t]|$)")
