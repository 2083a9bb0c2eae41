"""The command `seedbank`."""
