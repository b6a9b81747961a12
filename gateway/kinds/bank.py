"""Kinds of problems: bank files and remittance advices."""
