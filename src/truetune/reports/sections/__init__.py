"""The page's sections: what is said, from saved files alone."""
