"""E-invoice levels of UBL documents: XSD, EN 16931, Peppol."""
