"""The stages of cluster types and clusters, and the assignment of each document."""
