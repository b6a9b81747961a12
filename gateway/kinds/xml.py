"""Kinds of problems: XML, UBL and camt."""

from gateway.problem import Kind
from gateway.problem import Severity
