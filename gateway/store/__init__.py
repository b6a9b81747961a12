"""Database and archive: all SQL of the house stands here, built with SQLAlchemy Core."""
