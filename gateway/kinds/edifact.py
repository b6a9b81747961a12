"""Kinds of problems: EDIFACT syntax and schemas (0085 codes)."""

from gateway.problem import Kind
from gateway.problem import Severity
