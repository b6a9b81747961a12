"""Keys of config.yaml about more than one machine: how often a process shows that it lives, and when it is thought dead."""

from typing import Annotated

import pydantic

from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys


class Cluster(Keys):
    """Times that all processes of one installation have alike."""

    #: seconds between two signs of life
    heartbeat: Annotated[float, Within(0.05, 60, "number of seconds")] = 5.0
    #: seconds without one after which others take over
    silence: Annotated[float, Within(0.2, 600, "number of seconds")] = 20.0
    #: threads of a process that open files and decide documents
    threads: Annotated[int, Within(1, 64, "number of threads")] = 2

    @pydantic.model_validator(mode="after")
    def _patient(self) -> "Cluster":
        if self.silence < 3 * self.heartbeat:
            raise ValueError(f"silence: {self.silence:g} must be at least three times the heartbeat ({self.heartbeat:g} seconds)")
        return self
