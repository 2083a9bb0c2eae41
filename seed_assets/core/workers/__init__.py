"""The worker processes that parse files and process their texts."""
