"""One look of a sensor or a schedule at the knowledge base, and the records that it compares."""
