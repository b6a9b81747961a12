"""The rim of the house: bytes in and out over folder, SFTP, AS2 and HTTPS."""
