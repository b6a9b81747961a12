"""Who is told of what does not work, when, and in which words."""
