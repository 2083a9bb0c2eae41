"""The folder of documents."""
