"""What all tables share: the catalogue that they stand in, how their constraints are named, which are only ever added to."""

from sqlalchemy import MetaData

from gateway.problem import Problem
from gateway.store.columns import Json

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: tables whose rows are only ever added; triggers on both databases refuse UPDATE and DELETE
APPEND_ONLY = ("journal_entry", "journal_checkpoint", "document_state", "allocation", "credit_application")

PROBLEMS = Json(tuple[Problem, ...])
NAMES = Json(dict[str, str])
