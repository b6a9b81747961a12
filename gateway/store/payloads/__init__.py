"""The archive: bytes under their digest, wherever they lie, and large files on their way into it."""
