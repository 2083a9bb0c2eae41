"""Requests to bring a knowledge base up to date, which a process makes and Dagster's daemon carries out."""
