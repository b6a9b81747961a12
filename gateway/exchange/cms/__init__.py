"""Cryptographic Message Syntax (RFC 5652, 8551, 3274) as AS2 uses it: bytes in, bytes or a Problem out.

ber reads the structures in place, der composes them, cryptography does the primitives.
Knows no MIME and no partner. It may draw randomness from OpenSSL and nothing else from outside: the time is handed in.
"""
