"""What Alembic runs: on the connection and in the transaction that `run.migrate` hands in."""

from alembic import context

from gateway.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True, transaction_per_migration=False
)
context.run_migrations()
