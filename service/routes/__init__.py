"""The routes of one knowledge base, a module for each subject."""
