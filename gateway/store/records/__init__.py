"""Documents with their states, the numbers they are found by, the plans and versions that made them what they are."""
