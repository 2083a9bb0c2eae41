"""Reading DOCX files: the package with its parts, the body in document order, and what stands outside of it."""
