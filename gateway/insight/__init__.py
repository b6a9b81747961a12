"""What stored traffic tells: how a change would turn out, and what differs between two documents."""
