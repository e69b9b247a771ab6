"""Broken files for every reader: small good files, changed at random, read in processes with limits on time and memory.

    python -m tests.fuzz --count 10000 --record tests/fuzz/record.json
    python -m tests.fuzz --readers flow,noise --seed 7 --keep /tmp/failures

A reader has to read a file or to refuse it with a NoisescopeError. Anything else is a failure: another exception, a crash,
more than SECONDS, more than BYTES of memory beyond what the result needs, or a result that is not what it says. A reader is one
row of tests/fuzz/readers.py, its good files one function of tests/fuzz/corpus.py.
"""
