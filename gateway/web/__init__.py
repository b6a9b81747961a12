"""The web process: pages for people, an API for systems, the address for AS2. It reads, inserts and commits; the engine's owner does the work.

It knows no SQL and no decision: it shows what the store and the pipeline say, and hands on what a person decided.
"""
