"""What every session handler needs on the wire: one HTTP client, checked addresses, safe JSON, arguments as JSON.

Knows no protocol above HTTP and JSON."""
