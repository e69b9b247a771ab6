"""The door to real models: diffusers pipelines from a folder or the hub, sampled with this program's samplers and noise.

`folders.look` looks at a folder, `loading.load` makes its networks, a file of `families` says how a frame, a prompt and
noise become an output, `running` samples and inverts. diffusers and transformers are the optional extra
`noisescope[hub]`; nothing here imports them before it needs them.
"""
