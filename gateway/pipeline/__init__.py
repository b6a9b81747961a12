"""The walk of a file, inward and outward, and the engine that keeps it going."""
