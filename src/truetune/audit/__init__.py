"""Checks of data, made before money is spent on it."""
