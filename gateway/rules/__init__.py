"""What a document must satisfy: rules over facts that were fetched once for a whole batch."""
