"""How Dagster sees the pipeline. The only package of seed_assets that imports Dagster."""
