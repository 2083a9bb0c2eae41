"""Tables of PDF pages: finding them by lines or by columns, and writing them as rows in Markdown."""
