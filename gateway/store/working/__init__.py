"""Who works where: processes, their claims and seats, wake-ups, and where work is open."""
