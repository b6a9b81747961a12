"""What partners answer to what we sent, until when it is waited for, and what one step writes of it."""
