"""Sentence encoders from a folder of the user, run in this process: no server, no network, no code of the model's package."""
