"""Words, sentences, phrases and parts of texts in any language."""
