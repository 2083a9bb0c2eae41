"""Commands over the batches of a provider."""
