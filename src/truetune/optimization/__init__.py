"""The loop of the article: what holds a score back, what to change, and whether the change is shown to help."""
