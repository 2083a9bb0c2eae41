"""Requests to a model's server: what is sent, what can fail, what is waited for."""
