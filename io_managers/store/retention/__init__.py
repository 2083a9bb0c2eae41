"""What bounds a store: which results are removed when, by rules, by hand, or because a document is to be erased."""
