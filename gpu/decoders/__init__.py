"""Native decoders of files that strangers made, each in a process of its own: what crashes, hangs or hoards there costs a
sentence here.

`process` is our side: it starts Python on `server`, asks it to call a function, and gets numbers and arrays back. The other
modules are what is called there; nothing here imports them.
"""
