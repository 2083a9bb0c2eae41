"""Groups of documents and of concepts, and what is said of a group."""
