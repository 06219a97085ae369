"""Cross-view relations: provable multi-image questions from calibrated captures and robot data."""

__version__ = "0.1.0"
