"""The trade steps: which comes next for a document, what is decided, and what that writes."""
