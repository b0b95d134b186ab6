"""Scores and comparisons of predictions tables."""
