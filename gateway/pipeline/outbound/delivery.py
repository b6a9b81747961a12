"""Bytes leave over their endpoint's transport. Raises TransportError where they did not; what comes back at once (an AS2 receipt) is
verified, archived and told."""

from gateway.config import ConfigTrouble
from gateway.pipeline.as2.posting import post_receipt
from gateway.pipeline.as2.sending import post_message
from gateway.pipeline.outbound.https_sending import send_https
from gateway.pipeline.outbound.mail_sending import send_by_mail
from gateway.pipeline.outbox.circuits import guarded
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.station import Station
from gateway.store.outgoing.outbox import Entry
from gateway.transport.box import TransportError


def deliver(station: Station, entry: Entry, data: bytes) -> Delivered:
    """Hand the bytes of a prepared row over to its endpoint, under the row's identity."""
    loaded = station.installation.directory.partners.get(entry.partner)
    endpoint = loaded.partner.endpoint(entry.endpoint) if loaded else None
    if loaded is None or endpoint is None or entry.identity is None:
        raise TransportError(
            f"{entry.partner} has no endpoint '{entry.endpoint}' any more: mend partners/{entry.partner}.yaml, then try it again", retry=False
        )
    try:
        if endpoint.as2 is not None:
            return (post_receipt if entry.kind == "receipt" else post_message)(station, entry, endpoint, data)
        if endpoint.https is not None:
            return Delivered(send_https(station, entry, endpoint, data))
        if endpoint.mail is not None:
            return Delivered(send_by_mail(station, entry, endpoint, data))
        with guarded(station, endpoint) as box:
            box.send(entry.identity, data)
    except ConfigTrouble as error:
        # a key or setting is missing: it is no fault of the row, which waits until it is mended
        raise TransportError(str(error), retry=False, stop=True) from error
    return Delivered({"name": entry.identity, "bytes": str(len(data))})
