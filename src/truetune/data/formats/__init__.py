"""File formats, one file a kind."""
