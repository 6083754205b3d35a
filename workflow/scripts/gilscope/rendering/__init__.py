"""The pages. A part of one is a function here, which prepares values, and a template of ``report/templates``.

The notebooks in ``report/`` put the parts in order. Text from outside (labels, claims, reasons …) stays text.
"""
