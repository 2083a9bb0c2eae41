"""Entities over documents: which entities of single documents are one."""
