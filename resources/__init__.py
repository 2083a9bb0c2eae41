"""What a run needs from outside: corpus, home, settings, embedder, tables. Plain clients, no Dagster."""
