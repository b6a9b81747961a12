"""Trails to read, and an installation's data kept, moved, brought back, and let go in its time."""
