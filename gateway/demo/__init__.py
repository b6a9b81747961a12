"""A seeded world: partners as processes of their own on loopback, a month of order to cash, and a story that is checked while it is told.

`run` puts it together: premises (folders and files), children (processes), month (what happened before today), story and chapters (what
happens today). The partners speak with messages_*: their own code under their own keys; of the gateway they use the AS2 room alone.
"""
