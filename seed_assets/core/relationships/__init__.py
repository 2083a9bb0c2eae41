"""How entities are related: in a document, and over documents."""
