"""Cryptographic Message Syntax (RFC 5652, 8551, 3274) as AS2 uses it: bytes in, bytes or a Problem out.

asn1crypto reads the structures (BER as well as DER), cryptography does the primitives, what we write is composed by hand.
Knows no MIME and no partner. It may draw randomness from OpenSSL and nothing else from outside: the time is handed in.
"""
