"""Erases documents from a home: whatever was made of them, and everything that names them."""
