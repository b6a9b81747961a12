"""Copies of an installation, and what may be let go: backup, migration, erasure, legal holds."""
