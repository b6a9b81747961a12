"""Targets for atheris, one file each: bytes in, and nothing but what the room promises may come out. docs/fuzzing.md tells how to run them."""
