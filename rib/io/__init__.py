"""What reads and writes: files that are whole or absent, and processes that end without a trace."""
