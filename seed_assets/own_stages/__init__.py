"""Stages from modules of users: importing the modules, checking what they declare, and what such stages may use."""
