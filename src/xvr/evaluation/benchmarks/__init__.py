"""The benchmarks that can be run."""
