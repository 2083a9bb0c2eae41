"""What is known of languages: which one a text is in, the parts of speech of its words, and its noun phrases."""
