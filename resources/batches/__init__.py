"""The batches of a provider: requests that it answers within a day, at a lower price."""
