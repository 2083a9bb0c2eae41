"""A corpus in a bucket of an object store: listing, downloads, and what is kept of them in the home."""
