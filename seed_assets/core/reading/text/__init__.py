"""Reads text files and Markdown: encodings, mails, pages, front matter, comments."""
