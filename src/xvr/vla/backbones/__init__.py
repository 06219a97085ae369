"""Backbones: what turns pictures and an instruction into tokens for the head."""
