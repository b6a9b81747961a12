"""What does not work, who was told, and what is counted."""
