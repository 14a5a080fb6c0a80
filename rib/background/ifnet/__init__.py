"""The flow networks of RIFE: blocks that refine one estimate, and how it is enlarged from one to the next."""
