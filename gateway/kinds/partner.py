"""Kinds of problems: partners, agreements and entitlement."""

from gateway.problem import Kind

UNKNOWN_SENDER = Kind(
    code="PARTNER-UNKNOWN-SENDER",
    title="No partner has the sender's identifier",
    cure="Add the identifier to the partner's file in partners/, or reject the file: it waits for a person.",
    ta1="006",
    ak5="",
    ak9="",
    contrl="23",
)
NOT_ENTITLED = Kind(
    code="PARTNER-NOT-ENTITLED",
    title="The sender may not send over this endpoint",
    cure="Check who delivered the file; if it is right, let an agreement of the partner name this endpoint in `from`.",
    contrl="23",
)
RECEIVER_NOT_US = Kind(
    code="PARTNER-RECEIVER-NOT-US",
    title="The file is addressed to somebody else",
    cure="Ask the sender for the right receiver identifier, or add it to `us.identifiers` in config.yaml.",
    ta1="009",
    contrl="7",
)
VERSION_NOT_AGREED = Kind(
    code="PARTNER-VERSION-NOT-AGREED",
    title="This type was agreed with this partner in another version only",
    cure="Add an agreement `receive: <syntax>/<version>/<type>` to the partner's file, or ask the partner for the version that was agreed.",
    ak5="1",
    ak9="2",
    ik5="1",
    contrl="17",
)
SUBSET_NOT_AGREED = Kind(
    code="PARTNER-SUBSET-NOT-AGREED",
    title="The transaction follows another guide or subset than the agreed one",
    cure="Ask the partner for the agreed guide (ST03) or association code (UNH 0057), or change `association` at the agreement.",
    ak5="19",
    ik5="I6",
    contrl="14",
)
NO_AGREEMENT = Kind(
    code="PARTNER-NO-AGREEMENT",
    title="No agreement covers this transaction with this partner",
    cure="Add an agreement `receive: <syntax>/<version>/<type>` to the partner's file, or tell the partner what we take.",
    ak5="1",
    ak9="1",
    ik5="1",
    contrl="17",
)
