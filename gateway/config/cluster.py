"""Keys of config.yaml about more than one machine: how often a process shows that it lives, and when it is thought dead."""

import pydantic

from gateway.exchange.keys import Keys


class Cluster(Keys):
    """Times that all processes of one installation have alike."""

    #: seconds between two signs of life
    heartbeat: float = pydantic.Field(default=5.0, ge=0.05, le=60)
    #: seconds without one after which others take over
    silence: float = pydantic.Field(default=20.0, ge=0.2, le=600)
    #: threads of a process that open files and decide documents
    threads: int = pydantic.Field(default=2, ge=1, le=64)

    @pydantic.model_validator(mode="after")
    def _patient(self) -> "Cluster":
        if self.silence < 3 * self.heartbeat:
            raise ValueError(f"silence: {self.silence:g} must be at least three times the heartbeat ({self.heartbeat:g} seconds)")
        return self
