"""Datasets from elsewhere and for elsewhere: import, export, mix and split."""
