"""The commands about what work has cost and what is kept of it: `seedbank cache ...` and `seedbank prove`."""
