"""Kinds of problems: canonical documents and mapping."""

from gateway.problem import Kind
from gateway.problem import Severity
