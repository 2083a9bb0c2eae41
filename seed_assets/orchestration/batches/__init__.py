"""What the daemon does about batches of a provider."""
