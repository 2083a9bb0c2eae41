"""The tables of the knowledge base in LanceDB."""
