"""How the database came to its present tables, step by step. A migration that was released is never edited."""
