"""Measuring models on cross-view questions: items, models, runs, scores, statistics, reports."""
