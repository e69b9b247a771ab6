"""What the commands share: options, progress, and the window that opens without a command."""
