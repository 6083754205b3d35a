"""What a job rests on: cells and blocks, atomic files, the lock, supervision, records, the interpreter's identity."""
