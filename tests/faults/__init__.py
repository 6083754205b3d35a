"""What happens to a run in this world, done to it on purpose; ``benchmarks/faults.py`` does much more of it."""
