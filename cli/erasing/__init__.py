"""The command that erases documents, and what is left of stages."""
