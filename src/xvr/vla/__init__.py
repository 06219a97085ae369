"""Policies: an action head on a vision-language model, its data, rollouts and comparisons."""
