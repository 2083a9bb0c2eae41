"""Sharing finished work between stores: a remote that several homes push to and pull from, exports and imports."""
