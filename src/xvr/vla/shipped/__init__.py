"""Files that run in another Python, without this package: they import nothing of it."""
