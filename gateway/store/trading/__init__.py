"""What orders come to: their lines, stock, money that is owed and paid, and the data that rules ask for."""
