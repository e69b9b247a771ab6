"""The one place with threads and processes: the worker that owns the engine, what it is asked, and what it says."""
