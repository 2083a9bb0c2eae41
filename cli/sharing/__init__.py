"""The commands that share finished work with other homes."""
