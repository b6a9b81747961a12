"""The order-to-cash cycle as pure decisions: no clock, no database, no file."""
