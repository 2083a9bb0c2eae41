"""How many requests may be sent, by all processes together."""
