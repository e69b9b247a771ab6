"""Measures by networks that others trained: LPIPS, FID, Improved Precision. Only with their real weights.

None of these weights come with the program. They are looked for in a folder that the user names and where torch and the
package `lpips` keep them (weights.py), and a file is taken only when its SHA-256 is that of the published one: a network of
the same shape with other weights gives numbers that mean nothing beside the literature's. What is missing is said, and the
measure is left out.

Each measure is one file: lpips.py, fid.py, precision.py; the networks are alexnet.py, vgg.py, inception.py, as functions of
a state dict.
"""
