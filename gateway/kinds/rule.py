"""Kinds of problems: business rules."""

from gateway.problem import Kind
from gateway.problem import Severity
