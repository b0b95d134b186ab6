"""HTML pages made from saved files only."""
