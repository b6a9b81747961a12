"""The walk of what leaves, outward: what goes together, under which numbers, over which transport. Its order stands in walk."""
