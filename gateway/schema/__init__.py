"""What a transaction may look like: load (YAML to plan), compile (plan to Python), apply (plan and transaction to problems)."""
