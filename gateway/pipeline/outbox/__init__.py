"""What waits to leave and what became of it: leases, records, pauses, and what a person sends again."""
