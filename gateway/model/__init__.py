"""Canonical documents: frozen, typed, no syntax in sight. docs/canonical.md describes them."""
