"""The port of the engine, its two makes, and what turns beside the streams."""
