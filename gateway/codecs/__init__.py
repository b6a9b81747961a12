"""Bytes to transactions and back. A codec knows syntax, never business, and has no file and no socket."""
