"""Reading PDF files with pypdfium2: the text layer of each page, forms and annotations in their places, titles.

pdfium is not thread-safe, so a process must make only one call at a time.
"""
