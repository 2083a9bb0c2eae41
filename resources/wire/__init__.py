"""Addresses, proxies, certificates, and the HTTP client."""
