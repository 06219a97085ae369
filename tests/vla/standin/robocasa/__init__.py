"""Registers nothing: the stand-in's environments are in the stand-in for robosuite."""
