"""Kinds of problems: bank files and remittance advices."""

from gateway.problem import Kind
from gateway.problem import Severity
