"""The commands that answer questions: once, in advance, over HTTP, and for agents."""
