"""Words to the service manager that started us (systemd's sd_notify): ready, alive, stopping. Nothing where nobody listens."""

import os
import socket


def tell_manager(*words: str) -> bool:
    """Send states like READY=1; false where there is no service manager, or it does not hear."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto("\n".join(words).encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        return False
    return True
