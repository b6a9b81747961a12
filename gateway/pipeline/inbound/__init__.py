"""The walk of a received file, inward: kept, cut, read, entered, acknowledged. Its order stands in walk."""
