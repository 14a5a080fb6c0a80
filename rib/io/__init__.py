"""Files and what may come out of them: errors, whole files, recipes, weights, model packages."""
