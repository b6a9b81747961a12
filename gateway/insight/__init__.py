"""What shows how a change of a mapping would turn out: test cases, stored traffic, and what differs between two documents."""
