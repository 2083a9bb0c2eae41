"""Facts that users declare, found in a document by a model."""
