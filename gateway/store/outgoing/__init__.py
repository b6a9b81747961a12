"""What leaves and what comes back for it: the outbox, its order and pauses, control numbers, receipts, webhooks."""
