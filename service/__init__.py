"""The HTTP service over knowledge bases, and the tools for agents (MCP). It does not import Dagster."""
