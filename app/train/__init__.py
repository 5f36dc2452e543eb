"""Parts of the form of the Train page: one module per section, each writing into a `Draft`."""
