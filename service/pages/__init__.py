"""The web pages of a knowledge base: HTML made on the server, which can be read and used without JavaScript."""
