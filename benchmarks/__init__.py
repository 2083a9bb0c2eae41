"""Programs that measure the project. docs/benchmarks.md reports the results. No test depends on a measured time."""
