"""The page of several runs side by side: its parts, which ``report/comparison.ipynb`` puts in order."""
