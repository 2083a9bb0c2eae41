"""The commands that explain results and compare changes, and what they print."""
