"""The implementation guide of a partner: one page made from the mapping, the schema and the agreements that run.

`usage` finds what a mapping takes and fills, `chapters` puts it beside the schema, `samples` makes files that validate, `page` is the HTML.
"""
