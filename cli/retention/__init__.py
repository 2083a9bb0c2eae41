"""Commands that bound the store, and erase from it."""
