"""Networks: the U-Net, the autoencoder, EDM preconditioning, and their weights on disk."""
