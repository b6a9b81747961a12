"""What commands answer about files and settings without touching the installation's state."""
