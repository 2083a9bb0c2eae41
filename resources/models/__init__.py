"""Language models and embedders, and what they cost."""
