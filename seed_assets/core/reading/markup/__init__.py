"""Markup languages that are read line by line: Org and AsciiDoc.

emphasis.py         signs around words
included_files.py   the warning about other files
protected.py        pieces that are set aside while the rest is changed
org.py              Org files
org_inline.py       the text of a paragraph in Org
asciidoc.py         AsciiDoc files
asciidoc_inline.py  the text of a paragraph in AsciiDoc
asciidoc_header.py  the header of an AsciiDoc file
asciidoc_lines.py   how lines of AsciiDoc are recognized
asciidoc_lists.py   the places of items in lists
asciidoc_tables.py  tables in AsciiDoc
"""
