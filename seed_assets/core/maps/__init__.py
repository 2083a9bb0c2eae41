"""Pictures of a clustering: a map of its documents, and a chart of its clusters."""
