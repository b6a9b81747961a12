"""Kinds of problems: AS2 exchange (RFC 4130 dispositions)."""

from gateway.problem import Kind
from gateway.problem import Severity
