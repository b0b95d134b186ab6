"""The same examples through training, export and serving."""
