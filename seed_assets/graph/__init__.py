"""What a stage is, and how stages make a pipeline."""
