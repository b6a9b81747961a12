"""A partner who shares a folder with us, and the bank: what its system wants sent appears in `out` by rename, what we put into `in` is
taken. `python -m gateway.demo.folder_partner HOME OUT [IN]`.
"""

import sys
from pathlib import Path

from gateway.demo.premises import Home
from gateway.demo.standing import move_all
from gateway.demo.standing import stand


def main(arguments: list[str]) -> None:
    home, out = Home(Path(arguments[0])), Path(arguments[1])
    into = Path(arguments[2]) if len(arguments) > 2 else None

    def step() -> None:
        move_all(home.to_send, out)
        if into is not None:
            move_all(into, home.received)

    stand({}, step)


if __name__ == "__main__":
    main(sys.argv[1:])
