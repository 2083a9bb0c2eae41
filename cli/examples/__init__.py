"""The commands `seedbank examples ...`."""
