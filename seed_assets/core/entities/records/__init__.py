"""Records: entities of which a document says several things by name, and how likely two of them are one."""
