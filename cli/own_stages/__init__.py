"""The commands about stages of the user."""
