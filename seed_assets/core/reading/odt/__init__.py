"""Reading ODT files: the parts of the file (document), its body (body), the text inside a paragraph (inline), styles (styles)."""
