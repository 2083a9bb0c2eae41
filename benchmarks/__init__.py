"""Programs that measure; docs/benchmarks.md reports what they found. No test depends on a time."""
