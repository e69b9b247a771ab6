"""What a frame of noise costs: every prior at every size, beside torch.randn of the same shape in the same run.

`row` measures one prior at one size in the process that it is started in, `rows` starts a process for each, and `earlier`
compares with what an earlier run gave. `noisescope bench` prints what they find.
"""
