"""The store's SQLite file: opening, checking, migrating, writing in groups, and salvaging."""
