"""Reading files: the text, the title and the fields of a document from its bytes."""
