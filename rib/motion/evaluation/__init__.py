"""Score motion nets and splines on held-out motion capture."""
