"""The families of pipelines, one file each; what they have in common is in gpu/diffusion/hub/family.py."""
