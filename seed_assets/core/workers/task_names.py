"""The names of the tasks that parse a file. What does not belong here: the other tasks (text_tasks)."""

PARSE = "parse"
"""The task of parsing a file: its arguments are (bytes, format), and its result is an ExtractedText."""
READ_PAGES = "read_pages"
"""The task of parsing a file with pages: see extraction.read_document."""
FILE_TASKS = frozenset({PARSE, READ_PAGES})
"""The tasks for whose failures the file is at fault, and not its text."""
