"""gilscope: when do threads, processes and coroutines help, and what does the GIL have to do with it?"""

__version__ = "0.1.0"
