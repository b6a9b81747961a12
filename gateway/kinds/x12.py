"""Kinds of problems: X12 envelopes, segments and elements (AK3, AK4, AK5, AK9, TA1 codes)."""

from gateway.problem import Kind
from gateway.problem import Severity
