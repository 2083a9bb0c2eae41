"""Results in a form that people read: overviews of documents and clusters, lists, the report, found passages."""
