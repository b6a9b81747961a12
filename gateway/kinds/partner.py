"""Kinds of problems: partners, agreements and entitlement."""

from gateway.problem import Kind
from gateway.problem import Severity
