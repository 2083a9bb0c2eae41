"""Reading RTF files: groups and control words (document, groups), fonts and styles, character sets, and the text (paragraphs)."""
