"""The names of all metrics, with what they mean and their labels. docs/operations/monitoring.md lists them; a test holds both together."""

#: name -> (what it says, labels)
METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gateway_documents": ("Documents in the store", ("direction", "kind", "state", "test")),
    "gateway_partner_documents": ("Documents of a partner, test traffic left out", ("partner", "direction", "state")),
    "gateway_holds_open": ("Documents and files that wait for a person", ()),
    "gateway_rejections_open": ("Documents that partners rejected and nobody has dealt with", ()),
    "gateway_outbox": ("Rows of the outbox that have not left", ("state",)),
    "gateway_partners_paused": ("Partners to whom nothing is sent for now", ()),
    "gateway_queue_age_seconds": ("How long the oldest work waits that could be done now", ("queue",)),
    "gateway_unsent_age_seconds": ("How long the oldest row of the outbox waits to leave, whatever keeps it", ("partner",)),
    "gateway_answers": ("Answers of partners that are waited for or overdue", ("state", "partner")),
    "gateway_answer_wait_seconds": ("How long the oldest answer of a partner is waited for", ("partner",)),
    "gateway_answers_unmatched": ("Answers of partners that fit nothing we sent", ()),
    "gateway_transport_errors": ("Tries to fetch or send that failed", ("direction", "endpoint")),
    "gateway_as2_refused": ("Messages over AS2 that were refused; without a partner: of names that nobody has", ("partner", "code")),
    "gateway_step_seconds": ("Times of the steps of the work", ("step", "transport")),
    "gateway_not_working": ("Mailboxes, steps and endpoints that do not work now", ("kind", "state")),
    "gateway_engine_owned": ("1 where a service owns the data", ()),
    "gateway_engine_silence_seconds": ("Seconds since the engine of this machine last turned", ()),
    "gateway_nodes": ("Processes of a cluster that are alive", ("host", "role")),
    "gateway_node_mailboxes": ("Mailboxes that a machine looks into", ("host",)),
    "gateway_open_items": ("Open items by days past due (-1: not due)", ("currency", "bucket")),
    "gateway_payments_unmatched": ("Payments that are not used up", ()),
    "gateway_webhook_events": ("Events for webhooks by state", ("webhook", "state")),
    "gateway_wrong_keys": ("Requests of partners without a key or with a wrong one", ()),
    "gateway_turned_away": ("Requests with a right key that were too many", ()),
}
