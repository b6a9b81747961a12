"""An EDI and document gateway for order to cash. docs/architecture.md draws the house; start reading at pipeline/inbound/walk.py."""

__version__ = "0.1.0"
