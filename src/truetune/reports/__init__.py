"""One self-contained HTML page from saved files: nothing is trained, predicted or fetched here."""
