"""A payload read without any state: bytes to envelopes, transactions, checked documents, and whose they are."""
