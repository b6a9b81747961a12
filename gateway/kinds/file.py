"""Kinds of problems: files as a whole."""

from gateway.problem import Kind
from gateway.problem import Severity
