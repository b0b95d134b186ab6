"""Behavioural checks: small changes of a text, and what a model should make of them."""
