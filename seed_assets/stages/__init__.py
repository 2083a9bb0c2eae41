"""One module a stage, named after what it makes."""
