"""Calibrated captures before they are used: is the calibration right, and where to get one."""
