"""Parts of the Compare page: what is compared, and its tables."""
