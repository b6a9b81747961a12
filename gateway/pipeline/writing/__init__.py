"""Documents and acknowledgments as bytes, before anything leaves."""
