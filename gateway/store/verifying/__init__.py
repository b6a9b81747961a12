"""What proves that nobody changed the journal: signed checkpoints, proofs, the verifier."""
