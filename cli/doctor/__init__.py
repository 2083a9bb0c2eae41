"""The command that examines a home."""
