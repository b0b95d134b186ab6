"""Rows in, intervals and p-values out."""
