"""What is done around every step: it works with the configuration of its beginning."""

from gateway.pipeline.engine import Step
from gateway.pipeline.station import Station


def attended(step: Step) -> Step:
    """The step as engines run it."""

    def run(station: Station, stream: str) -> bool:
        return step(station.fixed(), stream)

    return run
