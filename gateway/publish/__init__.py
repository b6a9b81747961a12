"""What people read: guides, pages, lists of errors."""
