"""Search over the tables of the knowledge base. It reads only, and does not import Dagster."""
