"""Partners, envelopes, acknowledgments, AS2 and Peppol: who says what to whom, without sockets."""
