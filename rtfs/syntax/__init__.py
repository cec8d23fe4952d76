"""Text: reading it to forms, printing values, formatting sources, showing errors. Knows nothing of meaning."""
