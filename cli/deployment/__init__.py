"""Commands for homes whose runs are done on several machines."""
