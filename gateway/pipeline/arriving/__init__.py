"""How bytes come to us: looked for in mailboxes, pushed over HTTPS, mailed, handed in by our own people."""
