"""Demonstrations for training: LeRobot data sets read, checked, cached and cut into chunks."""
