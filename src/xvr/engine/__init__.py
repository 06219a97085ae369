"""The engine: plan which sample comes from where, run the units, resume, merge."""
