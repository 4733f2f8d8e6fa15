"""The 120 log: what is kept of it (``model``), and how it is read (``log``)."""
