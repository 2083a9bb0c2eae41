"""The names of the tasks that the pool knows by name. What does not belong here: the other tasks (text_tasks)."""

PARSE = "parse"
"""The task of parsing a file: its arguments are (bytes, format), and its result is an ExtractedText."""
READ_PAGES = "read_pages"
"""The task of parsing a file with pages: see extraction.read_document."""
WARM_UP = "vectors"
"""The task that loads what most others need when it is given no texts."""
FILE_TASKS = frozenset({PARSE, READ_PAGES})
"""The tasks for whose failures the file is at fault, and not its text."""
