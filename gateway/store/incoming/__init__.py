"""What came: transmissions, their interchanges, pushed files, and what waits for a person."""
