"""A seeded world: partners as processes of their own on loopback, a month of order to cash."""
