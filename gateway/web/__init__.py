"""Server-rendered pages and the API; a process of its own."""
