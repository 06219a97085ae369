"""Datasets on disk: records, marks, writing, reading, statistics, the card and the audit."""
