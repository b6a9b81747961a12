"""AS2 with state: messages and receipts both ways, their keys at this moment, and the proof that is kept of them."""
