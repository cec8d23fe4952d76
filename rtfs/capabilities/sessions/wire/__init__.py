"""Network code that every session handler needs: one HTTP client, checked addresses, safe JSON, arguments as JSON.

Knows no protocol above HTTP and JSON."""
