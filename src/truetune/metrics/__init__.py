"""Metrics, one file a family; numpy only."""
